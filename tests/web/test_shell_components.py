"""The small pieces every page is made of."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import pytest
from django.core.paginator import Paginator
from django.template import Context, Template, TemplateSyntaxError
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from canceldesk.accounts.models import Role
from canceldesk.cases.models import State
from canceldesk.web.templatetags import desk

NOW = dt.datetime(2026, 11, 20, 15, 0, tzinfo=dt.UTC)


def _rendered(source: str, **known: Any) -> str:
    return Template("{% load desk %}" + source).render(Context(known))


@given(st.integers(min_value=-(10**13), max_value=10**13))
def test_money_read_back_digit_by_digit_is_the_same_amount(minor: int) -> None:
    text = desk.money(minor, "USD")
    assert re.fullmatch(r"-?\$\d{1,3}(,\d{3})*\.\d{2}", text)
    assert int(re.sub(r"[$,.]", "", text)) == minor


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (4900, "USD", "$49.00"),
        (5, "USD", "$0.05"),
        (-123456, "USD", "-$1,234.56"),
        (100, "GBP", "£1.00"),
        (100, "SEK", "SEK 1.00"),
        (None, "USD", ""),
    ],
)
def test_money_is_written_as_people_write_it(minor: int | None, currency: str, text: str) -> None:
    assert _rendered("{{ minor|money:currency }}", minor=minor, currency=currency) == text


@pytest.mark.django_db
def test_a_phone_number_is_written_as_in_the_companys_country() -> None:
    assert _rendered("{{ number|phone }}", number="+12125550123") == "(212) 555-0123"
    assert _rendered("{{ number|phone }}", number="") == ""


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Ada Example", "AE"), ("ada", "A"), ("Ada B. Example", "AE"), ("", ""), ("  ", "")],
)
def test_initials_stand_for_a_name(name: str, letters: str) -> None:
    assert desk.initials(name) == letters


def test_an_icon_is_decoration_from_the_sprite() -> None:
    text = _rendered('{% icon "clock" "extra" %}')
    assert 'aria-hidden="true"' in text
    assert 'class="icon extra"' in text
    assert "sprite.svg#clock" in text


def test_an_icon_the_sprite_lacks_is_a_mistake_seen_at_once() -> None:
    with pytest.raises(TemplateSyntaxError, match="no icon named 'unicorn'"):
        _rendered('{% icon "unicorn" %}')


@pytest.mark.parametrize("state", list(State))
def test_every_state_has_a_chip(state: State) -> None:
    text = _rendered("{% state_chip state %}", state=state.value)
    assert f">{state.label}<" in text
    assert 'class="chip"' in text


@pytest.mark.parametrize("role", list(Role))
def test_every_role_has_a_chip(role: Role) -> None:
    assert f">{role.label}<" in _rendered("{% role_chip role %}", role=role.value)


def test_a_chip_escapes_what_it_is_given() -> None:
    assert "<b>" not in _rendered('{% chip text "red" %}', text="<b>")


@pytest.mark.usefixtures("frozen_clock")
@pytest.mark.parametrize(
    ("days", "urgency"), [(-1, "past"), (0.5, "soon"), (3, "soon"), (3.1, "far"), (40, "far")]
)
def test_the_clock_to_the_next_charge_presses_as_it_comes_near(days: float, urgency: str) -> None:
    at = NOW + dt.timedelta(days=days)
    text = _rendered('{% charge_clock at 4900 "USD" %}', at=at)
    assert f'data-urgency="{urgency}"' in text
    assert "$49.00" in text
    assert f'datetime="{at.isoformat()}"' in text


def test_a_clock_without_a_charge_says_so() -> None:
    text = _rendered("{% charge_clock at %}", at=None)
    assert "No charge expected" in text
    assert 'data-urgency="none"' in text


@pytest.mark.usefixtures("frozen_clock")
def test_a_clock_may_not_know_the_amount() -> None:
    assert "<strong>" not in _rendered("{% charge_clock at %}", at=NOW)


def test_an_empty_list_says_what_to_do_next() -> None:
    text = _rendered('{% empty_state "inbox" "Nothing waits" "All done." "/new/" "New request" %}')
    assert "Nothing waits" in text
    assert '<a class="btn btn-primary" href="/new/">New request</a>' in text
    assert "<a" not in _rendered('{% empty_state "inbox" "Nothing waits" %}')


@pytest.mark.usefixtures("frozen_clock")
def test_attention_is_one_sentence_and_since_when() -> None:
    text = _rendered("{% attention sentence since %}", sentence="Set it to <Suspended>.", since=NOW)
    assert "Set it to &lt;Suspended&gt;." in text
    assert "Since <time" in text
    assert 'role="status"' in text
    assert 'role="alert"' in _rendered('{% attention "Charged!" tone="danger" %}')
    assert _rendered('{% attention "" %}').strip() == ""


@pytest.mark.usefixtures("frozen_clock")
def test_times_carry_everything_in_their_title() -> None:
    text = _rendered("{{ at|day }}", at=NOW)
    assert 'title="Friday, 20 November 2026, 3:00 PM UTC"' in text
    assert ">20 Nov<" in text
    assert ">20 Nov, 3:00 PM<" in _rendered("{{ at|moment }}", at=NOW)
    assert ">now<" in _rendered("{{ at|distance }}", at=NOW)


@pytest.mark.parametrize("name", ["day", "moment", "distance"])
def test_no_time_is_written_as_nothing(name: str) -> None:
    assert _rendered("{{ at|" + name + " }}", at=None) == ""


def test_pages_link_to_their_neighbours_and_keep_the_question() -> None:
    request = RequestFactory().get("/list/", {"q": "a&b", "page": "2"})
    page = Paginator(list(range(30)), 10).page(2)
    text = _rendered("{% pagination page %}", page=page, request=request)
    assert 'href="?q=a%26b&amp;page=1"' in text
    assert 'href="?q=a%26b&amp;page=3"' in text
    assert "Page 2 of 3" in text


def test_one_page_needs_no_links() -> None:
    request = RequestFactory().get("/list/")
    page = Paginator([1], 10).page(1)
    assert "<nav" not in _rendered("{% pagination page %}", page=page, request=request)


def test_a_live_fragment_knows_where_to_ask_and_what_it_shows() -> None:
    text = _rendered("<p {% live 'settings-user' 7 version=v every=5 %}></p>", v="a&b")
    assert 'hx-get="/settings/users/7/?version=a%26b"' in text
    assert 'hx-trigger="every 5s, live"' in text
    assert "data-live" in text
