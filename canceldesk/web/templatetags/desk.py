"""Small pieces every page is made of."""

from __future__ import annotations

import datetime as dt
import re
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django import template
from django.core.paginator import Page
from django.forms import BoundField
from django.http import HttpRequest
from django.template import Context
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from canceldesk import clock
from canceldesk.accounts.models import Role
from canceldesk.cases.models import State
from canceldesk.clients import phones
from canceldesk.closing import shown
from canceldesk.configuration import services as configuration
from canceldesk.web import moments

register = template.Library()

SPRITE = "vendor/tabler-icons-3.51.0/sprite.svg"
STATE_TONES = {
    State.NEW: "blue",
    State.RETENTION: "purple",
    State.CLOSING: "amber",
    State.CLOSED: "green",
    State.RETAINED: "teal",
    State.WITHDRAWN: "grey",
}
ROLE_TONES = {Role.AGENT: "grey", Role.MANAGER: "purple", Role.ADMIN: "blue"}
_CONTROL_CLASSES = {"checkbox": "form-check-input", "select": "form-select"}
SOON = dt.timedelta(days=3)


@lru_cache(maxsize=1)
def icon_names() -> frozenset[str]:
    """The icons the sprite holds."""
    sprite = Path(__file__).resolve().parent.parent / "static" / SPRITE
    return frozenset(re.findall(r'<symbol id="([^"]+)"', sprite.read_text(encoding="utf-8")))


@register.simple_tag
def icon(name: str, css_class: str = "") -> SafeString:
    """An icon of the sprite; it is decoration, so say the same in words beside it."""
    if name not in icon_names():
        raise template.TemplateSyntaxError(f"The sprite holds no icon named {name!r}.")
    return format_html(
        '<svg class="icon {}" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        css_class,
        static(SPRITE),
        name,
    )


@register.filter
def money(minor: int | None, currency: str = "USD") -> str:
    """Minor units as a person writes them: `4900|money:"USD"` is `$49.00`."""
    return "" if minor is None else shown.money(minor, currency)


@register.filter
def phone(number: str | None) -> str:
    """A phone number as people of the company's country write it."""
    return phones.shown(number, configuration.text("PHONE_REGION")) if number else ""


@register.filter
def initials(name: str) -> str:
    """At most two letters that stand for a name."""
    words = name.split()
    letters = [words[0][0], words[-1][0]] if len(words) > 1 else [word[0] for word in words]
    return "".join(letters).upper()


@register.filter
def day(at: dt.datetime | dt.date | None) -> str:
    """`3 Dec` in the company's zone, with the year when it is another one."""
    return "" if at is None else _time(at, moments.day(at))


@register.filter
def moment(at: dt.datetime | None) -> str:
    """`3 Dec, 4:05 PM` in the company's zone."""
    return "" if at is None else _time(at, moments.moment(at))


@register.filter
def distance(at: dt.datetime | dt.date | None) -> str:
    """How far away: `in 2 days`, `tomorrow`, `5 minutes ago`."""
    return "" if at is None else _time(at, moments.distance(at))


def _time(at: dt.datetime | dt.date, text: str) -> SafeString:
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', at.isoformat(), moments.full(at), text
    )


@register.inclusion_tag("partials/charge_clock.html")
def charge_clock(
    at: dt.datetime | None, minor: int | None = None, currency: str = ""
) -> dict[str, Any]:
    """The clock to the next charge: how much, how soon, and calm or pressing colours."""
    urgency = "none"
    if at is not None:
        left = at - clock.now()
        urgency = "past" if left < dt.timedelta(0) else "soon" if left <= SOON else "far"
    return {"at": at, "minor": minor, "currency": currency, "urgency": urgency}


@register.simple_tag
def chip(text: str, tone: str = "grey") -> SafeString:
    """A short label; tones: grey, blue, purple, amber, green, teal, red."""
    return format_html('<span class="chip" data-tone="{}">{}</span>', tone, text)


@register.simple_tag
def state_chip(state: str) -> SafeString:
    """A case's state."""
    known = State(state)
    return chip(str(known.label), STATE_TONES[known])


@register.simple_tag
def role_chip(role: str) -> SafeString:
    """A user's role."""
    known = Role(role)
    return chip(str(known.label), ROLE_TONES[known])


@register.inclusion_tag("partials/empty_state.html")
def empty_state(
    icon_name: str, title: str, sentence: str = "", url: str = "", label: str = ""
) -> dict[str, str]:
    """What a list shows when there is nothing on it, and where to go from there."""
    return {
        "icon_name": icon_name,
        "title": title,
        "sentence": sentence,
        "url": url,
        "label": label,
    }


@register.inclusion_tag("partials/attention.html")
def attention(
    sentence: str, since: dt.datetime | None = None, tone: str = "warning"
) -> dict[str, Any]:
    """One sentence that says why something is stuck and what to do; nothing if it is empty."""
    return {"sentence": sentence, "since": since, "tone": tone}


@register.inclusion_tag("partials/field.html")
def field(bound: BoundField) -> dict[str, Any]:
    """A form's field with its label, help and errors tied to it for screen readers."""
    css_class = _CONTROL_CLASSES.get(bound.widget_type, "form-control")
    if bound.errors:
        css_class += " is-invalid"
    return {
        "field": bound,
        "control": bound.as_widget(attrs={"class": css_class}),
        "is_switch": bound.widget_type == "checkbox",
    }


@register.inclusion_tag("partials/pagination.html", takes_context=True)
def pagination(context: Context, page: Page[Any]) -> dict[str, Any]:
    """Links to the neighbouring pages; what else the address asks for is kept."""
    request: HttpRequest = context["request"]
    asked = [(key, each) for key, values in request.GET.lists() for each in values]
    kept = [(key, each) for key, each in asked if key not in {"page", "version"}]
    return {"page": page, "kept": urlencode([*kept, ("page", "")])}


@register.simple_tag
def live(
    url_name: str, *args: object, version: object = "", every: int = 3, page: int = 1
) -> SafeString:
    """Attributes that make an element ask every few seconds whether it is still right.

    The server answers with `web.live.live_fragment`. Give the element an id and let the fragment
    be that element itself: it replaces itself whole. `page` is which of several pages it shows.
    """
    asked = {"version": str(version)} | ({"page": str(page)} if page > 1 else {})
    return format_html(
        'data-live hx-get="{}?{}" hx-trigger="every {}s, live" hx-swap="outerHTML"',
        reverse(url_name, args=args),
        urlencode(asked),
        every,
    )
