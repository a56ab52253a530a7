"""Clients: who they are, what they pay for, and what has been asked."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser

from canceldesk import clock
from canceldesk.accounts.models import User
from canceldesk.cases.models import State
from canceldesk.clients import refreshing
from canceldesk.clients.models import Subscription
from canceldesk.web.clientfacts import facts_of
from tests.closing.conftest import Desk
from tests.factories import make_case, make_client, make_invoice, make_subscription


@pytest.fixture
def browser(desk: Desk, client_of: Callable[[User], Browser]) -> Browser:
    return client_of(desk.agent)


def text(response: Any) -> str:
    return " ".join(html.unescape(re.sub("<[^>]*>", " ", response.content.decode())).split())


def test_everybody_is_listed_page_by_page(browser: Browser) -> None:
    for number in range(30):
        make_client("Anna", f"Berg{number:02d}")
    first = text(browser.get("/clients/"))
    assert "30 clients" in first
    assert "Anna Berg00" in first
    assert "Anna Berg29" not in first
    assert "Anna Berg29" in text(browser.get("/clients/", {"page": "2"}))
    assert "Anna Berg29" in text(browser.get("/clients/", {"page": "99"}))
    assert "Anna Berg00" in text(browser.get("/clients/", {"page": "nonsense"}))


def test_a_row_says_what_matters(browser: Browser) -> None:
    client = make_client("Anna", "Berg", email="anna@example.com")
    gold = make_subscription(client, plan_name="Gold plan")
    make_subscription(client, Subscription.Status.SUSPENDED, plan_name="Blue plan")
    make_invoice(client, 4900)
    make_invoice(client, 5000)
    case = make_case(client=client, subscriptions=[gold])
    response = browser.get("/clients/")
    told = text(response)
    for part in ("(202) 555-0143", "Gold plan", "Blue plan", "Suspended", "in 10 days", "$99.00"):
        assert part in told
    assert f'aria-label="Open case {case.number} of Anna Berg"' in response.content.decode()


def test_a_next_charge_that_was_never_read_is_not_called_none(browser: Browser) -> None:
    make_subscription(make_client(), next_billing_at=None, next_billing_minor=None)
    assert "not read yet" in text(browser.get("/clients/"))


def test_a_search_is_answered_with_the_table_alone(browser: Browser) -> None:
    make_client("Anna", "Berg")
    make_client("Bert", "Ekdal")
    response = browser.get("/clients/", {"q": "ekdal"}, headers={"HX-Request": "true"})
    told = text(response)
    assert "1 found" in told
    assert "Bert Ekdal" in told
    assert "Anna Berg" not in told
    assert "<html" not in response.content.decode()


def test_nearly_alike_names_are_offered_as_such(browser: Browser) -> None:
    make_client("Liam", "Kowalski")
    told = text(browser.get("/clients/", {"q": "kowalsky"}))
    assert "nearly alike" in told
    assert "Liam Kowalski" in told


def test_who_is_not_there_is_said_not_to_be(browser: Browser) -> None:
    assert "No clients yet" in text(browser.get("/clients/"))
    assert "have not been read from Billsby yet" in text(browser.get("/clients/"))
    make_client("Anna", "Berg")
    assert "Nobody fits" in text(browser.get("/clients/", {"q": "zzqqxx"}))


def test_the_page_says_when_it_was_read(desk: Desk, browser: Browser) -> None:
    desk.client()
    refreshing.refresh_all(desk.billsby)
    desk.later(minutes=7)
    assert "Read from Billsby 7 minutes ago" in text(browser.get("/clients/"))


def test_a_clients_page_shows_everything_known(desk: Desk, browser: Browser) -> None:
    client = make_client("Anna", "Berg", email="anna@example.com", billsby_id="CUSANNA")
    odd = make_subscription(
        client, Subscription.Status.UNKNOWN, status_raw="Frozen", plan_name="Gold plan"
    )
    invoice = make_invoice(client, 4900, status_raw="To be written off")
    open_case = make_case(client=client, subscriptions=[odd])
    ended = make_case(State.WITHDRAWN, client=client)
    response = browser.get(f"/clients/{client.pk}/")
    told = text(response)
    for part in ("CUSANNA", "anna@example.com", "Gold plan", "Frozen", invoice.number, "$49.00"):
        assert part in told
    for part in ("To be written off", open_case.number, ended.number, "Withdrawn", "Too expensive"):
        assert part in told
    assert f'href="/new/?client={client.pk}"' in response.content.decode()


def test_a_clients_page_with_nothing_on_it_is_still_a_page(browser: Browser) -> None:
    client = make_client("", "", email="", phone="", gone_at=clock.now())
    told = text(browser.get(f"/clients/{client.pk}/"))
    for part in ("no phone", "no e-mail", "no longer lists", "None known", "No request has been"):
        assert part in told
    assert browser.get("/clients/99999/").status_code == 404


def test_reading_now_brings_the_page_up_to_date(desk: Desk, browser: Browser) -> None:
    customer, service = desk.client()
    client = desk.mirrored(customer.uid)
    desk.company.panel_suspend(service.uid)
    response = browser.post(f"/clients/{client.pk}/read/")
    assert response["Location"] == f"/clients/{client.pk}/"
    told = text(browser.get(response["Location"]))
    assert "Read from Billsby just now." in told
    assert "Suspended" in told


def test_reading_while_billsby_is_down_says_so_and_keeps_the_copy(
    desk: Desk, browser: Browser
) -> None:
    customer, _ = desk.client()
    client = desk.mirrored(customer.uid)
    desk.company.set_down("503")
    told = text(browser.get(browser.post(f"/clients/{client.pk}/read/")["Location"]))
    assert "still the desk's copy" in told
    assert "Active" in told


def test_reading_is_asked_for_by_a_button_only(browser: Browser) -> None:
    client = make_client()
    assert browser.get(f"/clients/{client.pk}/read/").status_code == 405


@pytest.mark.parametrize("path", ["/clients/", "/clients/1/"])
def test_nobody_sees_clients_without_signing_in(desk: Desk, client: Browser, path: str) -> None:
    assert client.get(path).status_code == 302


def test_what_is_owed_is_never_added_up_across_currencies(desk: Desk) -> None:
    client = make_client()
    for amount, currency in ((100, "USD"), (200, "EUR"), (300, "USD")):
        make_invoice(client, amount, currency=currency)
    owed = {currency: amount for amount, currency in facts_of(client).owed}
    assert owed == {"USD": 400, "EUR": 200}


@pytest.mark.parametrize("status", list(Subscription.Status))
def test_every_status_has_its_colour(desk: Desk, status: Subscription.Status) -> None:
    [one] = facts_of(make_subscription(make_client(), status).client).subscriptions
    tones = {"active": "green", "in_trial": "teal", "paused": "amber", "unknown": "red"}
    assert one.tone == tones.get(status.value, "grey")


def test_a_copy_is_as_old_as_its_oldest_part(desk: Desk) -> None:
    client = make_client()
    old = clock.now()
    make_subscription(client, details_read_at=old, read_at=old)
    desk.later(hours=5)
    client.read_at = clock.now()
    client.save()
    assert facts_of(client).read_at == old
