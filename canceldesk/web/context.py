"""What every page knows."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from canceldesk.cases.authority import Act, may
from canceldesk.configuration import services as configuration


@dataclass(frozen=True)
class Destination:
    """A page the navigation can lead to."""

    url_name: str
    label: str
    icon: str
    act: Act | None = None


@dataclass(frozen=True)
class NavigationItem:
    """A destination as one person sees it from one page."""

    url_name: str
    url: str
    label: str
    icon: str
    is_here: bool


DESTINATIONS = (
    Destination("today", "Today", "home"),
    Destination("new-request", "New request", "phone-plus", Act.FILE),
    Destination("retention-queue", "Retention", "heart-handshake", Act.RETAIN),
    Destination("the-list", "The list", "list-check"),
    Destination("clients", "Clients", "users"),
    Destination("settings", "Settings", "settings", Act.CHANGE_SETTINGS),
)


def desk(request: HttpRequest) -> dict[str, object]:
    """The company's name, and for somebody signed in the navigation of their role."""
    known: dict[str, object] = {"company_name": configuration.text("COMPANY_NAME")}
    user = request.user
    if not user.is_authenticated:
        return known
    open_to_user = [one for one in DESTINATIONS if one.act is None or may(user, one.act)]
    items = {
        one.url_name: _item(one, url, request.path)
        for one in open_to_user
        if (url := _url(one.url_name))
    }
    return known | {
        "navigation": list(items.values()),
        "home_url": items["today"].url,
        "filing_url": items["new-request"].url if "new-request" in items else "",
        "settings_url": items["settings"].url if "settings" in items else "",
    }


def _url(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _item(destination: Destination, url: str, path: str) -> NavigationItem:
    is_here = path == url or (url != "/" and path.startswith(url))
    return NavigationItem(destination.url_name, url, destination.label, destination.icon, is_here)
