"""Bringing the desk's copy of Billsby up to date."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from django.db import DataError, connection
from django.test.utils import CaptureQueriesContext

from canceldesk import clock
from canceldesk.billsby import (
    BillsbyError,
    Customer,
    Invoice,
    InvoiceStatus,
    Nonsense,
    NotFound,
    SubscriptionStatus,
    SubscriptionSummary,
    Unreachable,
)
from canceldesk.billsby.client import HttpBillsby
from canceldesk.clients import mirror, refreshing
from canceldesk.clients.models import Client, OpenInvoice, Refresh, Subscription
from tests.clients.conftest import START, Practice
from tests.databases import on_postgresql
from tests.factories import make_client, make_invoice, make_subscription


class Failing:
    """Billsby that breaks down in the middle of one list."""

    def __init__(self, billsby: HttpBillsby, call: str, after: int = 1) -> None:
        self._billsby, self._call, self._after = billsby, call, after

    def __getattr__(self, name: str) -> Any:
        real = getattr(self._billsby, name)
        return real if name != self._call else self._breaking(real)

    def _breaking(self, real: Any) -> Any:
        def call(*args: Any, **kwargs: Any) -> Iterator[Any]:
            for number, value in enumerate(real(*args, **kwargs)):
                if number == self._after:
                    raise Unreachable("Billsby does not answer. Try again later.")
                yield value

        return call


def test_everybody_is_read_with_their_subscriptions_and_open_invoices(practice: Practice) -> None:
    anna = practice.company.add_customer("Anna", "Núñez", phone_number="2025550143")
    bert = practice.company.add_customer("Bert", "Berg")
    service = practice.company.add_subscription(anna.uid)
    practice.company.add_invoice(anna.uid, 9900, "Unpaid")
    practice.company.add_invoice(anna.uid, 9900, "Paid")
    practice.company.add_invoice(bert.uid, 4900, "Pending")
    run = refreshing.refresh_all(practice.billsby)
    assert (run.problem, run.clients, run.ended_at) == ("", 2, START)
    client = Client.objects.get(billsby_id=anna.uid)
    assert client.search_text.startswith(" anna nunez | ")
    assert client.phone_e164 == "+12025550143"
    assert client.subscriptions.get().billsby_id == service.uid
    owed = dict(OpenInvoice.objects.values_list("client__billsby_id", "amount_minor"))
    assert owed == {anna.uid: 9900, bert.uid: 4900}
    assert refreshing.last_refresh() == run


def test_a_second_refresh_changes_what_changed_and_keeps_the_rest(practice: Practice) -> None:
    anna = practice.company.add_customer("Anna", "Berg")
    service = practice.company.add_subscription(anna.uid)
    refreshing.refresh_all(practice.billsby)
    client = Client.objects.get()
    refreshing.refresh_client(practice.billsby, client)
    before = client.subscriptions.get()
    practice.company.panel_suspend(service.uid)
    clock.advance(dt.timedelta(minutes=15))
    refreshing.refresh_all(practice.billsby)
    after = Client.objects.get().subscriptions.get()
    assert (before.pk, after.status) == (after.pk, "suspended")
    assert after.read_at == clock.now()
    assert after.details_read_at == START, "a list says nothing of the next charge"
    assert after.next_billing_minor == before.next_billing_minor == 9900


def test_who_is_no_longer_listed_is_gone_and_who_comes_back_is_back(practice: Practice) -> None:
    practice.company.add_customer("Anna", "Berg", uid="CUSANNA")
    make_client(billsby_id="CUSOLD", read_at=START - dt.timedelta(days=1))
    back = make_client(billsby_id="CUSANNA", gone_at=START - dt.timedelta(days=1))
    refreshing.refresh_all(practice.billsby)
    assert Client.objects.get(billsby_id="CUSOLD").gone_at == START
    back.refresh_from_db()
    assert back.gone_at is None


@pytest.mark.parametrize("call", ["customers", "subscriptions", "company_invoices"])
def test_a_refresh_that_stops_half_way_forgets_nobody_and_nothing(
    practice: Practice, call: str
) -> None:
    old = START - dt.timedelta(days=1)
    for name in ("Anna", "Bert", "Cleo"):
        customer = practice.company.add_customer(name, "Berg")
        practice.company.add_subscription(customer.uid)
        practice.company.add_invoice(customer.uid, 9900, "Unpaid")
        client = make_client(name, "Berg", billsby_id=customer.uid, read_at=old)
        make_invoice(client, read_at=old)
    run = refreshing.refresh_all(Failing(practice.billsby, call))
    assert run.problem == "Billsby does not answer. Try again later."
    assert run.ended_at == START
    assert not Client.objects.exclude(gone_at=None).exists()
    assert OpenInvoice.objects.filter(read_at=old).count() == 3
    assert refreshing.last_refresh() is None


def test_an_invoice_that_was_settled_is_forgotten(practice: Practice) -> None:
    anna = practice.company.add_customer("Anna", "Berg")
    invoice = practice.company.add_invoice(anna.uid, 9900, "Unpaid")
    refreshing.refresh_all(practice.billsby)
    practice.company.panel_write_off(invoice.number)
    clock.advance(dt.timedelta(minutes=15))
    refreshing.refresh_all(practice.billsby)
    assert not OpenInvoice.objects.exists()


def test_an_invoice_that_waits_to_be_written_off_still_stands(practice: Practice) -> None:
    """Billsby has no filter for it, so it is looked up at its client."""
    anna = practice.company.add_customer("Anna", "Berg")
    practice.company.add_invoice(anna.uid, 9900, "ToBeWrittenOff")
    client = make_client(billsby_id=anna.uid)
    refreshing.refresh_client(practice.billsby, client)
    for _ in range(2):
        clock.advance(dt.timedelta(minutes=15))
        refreshing.refresh_all(practice.billsby)
    assert OpenInvoice.objects.get().status == "to_be_written_off"


def test_invoices_of_somebody_billsby_no_longer_knows_are_forgotten(practice: Practice) -> None:
    make_invoice(make_client(billsby_id="CUSOLD"), read_at=START - dt.timedelta(days=1))
    assert refreshing.refresh_all(practice.billsby).problem == ""
    assert not OpenInvoice.objects.exists()


def test_what_belongs_to_somebody_unknown_is_left_out(practice: Practice) -> None:
    summary = SubscriptionSummary(
        billsby_id="SUB1", customer_id="CUSX", status=SubscriptionStatus.ACTIVE, status_raw="Active"
    )
    mirror.keep_summaries([summary], {})
    assert not Subscription.objects.exists()


def test_a_list_without_a_start_leaves_the_start_that_is_known(practice: Practice) -> None:
    customer = practice.company.add_customer("Anna", "Berg")
    practice.company.add_subscription(customer.uid)
    refreshing.refresh_all(practice.billsby)
    known = Subscription.objects.get()
    summary = replace(next(practice.billsby.subscriptions()), created_on=None, plan_name="New")
    mirror.keep_summaries([summary], {customer.uid: known.client_id})
    after = Subscription.objects.get()
    assert (after.started_at, after.plan_name) == (known.started_at, "New")


def test_many_clients_are_stored_with_few_statements(
    practice: Practice, django_assert_max_num_queries: Any
) -> None:
    many = [Customer(billsby_id=f"CUS{n:05d}", first_name="Anna") for n in range(1200)]
    with django_assert_max_num_queries(30):
        assert mirror.keep_clients(many) == 1200
    assert Client.objects.count() == 1200


def test_a_client_is_stored_as_billsby_shows_them(practice: Practice) -> None:
    stored = mirror.keep_client(Customer(billsby_id="CUS1", first_name="Anna", phone="2025550143"))
    again = mirror.keep_client(Customer(billsby_id="CUS1", first_name="Anne"))
    assert (stored.pk, stored.name, stored.phone_e164) == (again.pk, "Anna", "+12025550143")
    assert (again.name, again.phone_e164) == ("Anne", "")


def test_one_client_is_read_at_once_with_the_next_charge(practice: Practice) -> None:
    anna = practice.company.add_customer("Anna", "Berg", phone_number="2025550143")
    service = practice.company.add_subscription(
        anna.uid, next_billing_at=START + dt.timedelta(days=3)
    )
    practice.company.add_invoice(anna.uid, 9900, "Unpaid")
    client = make_client("Old", "Name", billsby_id=anna.uid)
    refreshing.refresh_client(practice.billsby, client)
    assert (client.name, client.phone_digits) == ("Anna Berg", "12025550143")
    subscription = client.subscriptions.get()
    assert subscription.billsby_id == service.uid
    assert subscription.next_billing_at == START + dt.timedelta(days=3)
    assert (subscription.next_billing_minor, subscription.details_read_at) == (9900, START)
    assert client.open_invoices.get().amount_minor == 9900


def test_a_subscription_billsby_no_longer_lists_is_not_taken_for_a_running_one(
    practice: Practice,
) -> None:
    anna = practice.company.add_customer("Anna", "Berg")
    client = make_client(billsby_id=anna.uid)
    old = make_subscription(client)
    refreshing.refresh_client(practice.billsby, client)
    old.refresh_from_db()
    assert (old.status, old.status_raw) == ("unknown", "No longer listed")
    assert old.next_billing_at is None


def test_a_reading_that_fails_changes_nothing(practice: Practice) -> None:
    anna = practice.company.add_customer("Anna", "Berg")
    client = make_client("Old", "Name", billsby_id=anna.uid)
    make_invoice(client)
    practice.company.set_down("503")
    with pytest.raises(BillsbyError):
        refreshing.refresh_client(practice.billsby, client)
    client.refresh_from_db()
    assert client.name == "Old Name"
    assert client.open_invoices.count() == 1


def test_somebody_elses_subscription_is_not_taken_over(practice: Practice) -> None:
    anna = practice.company.add_customer("Anna", "Berg")
    practice.company.add_subscription(anna.uid)
    client = make_client(billsby_id=anna.uid)

    class Confused:
        def __getattr__(self, name: str) -> Any:
            return getattr(practice.billsby, name)

        def subscription(self, subscription_id: str) -> Any:
            found = practice.billsby.subscription(subscription_id)
            return replace(found, customer_id="CUSOTHER")

    with pytest.raises(Nonsense, match="belongs to CUSOTHER"):
        refreshing.refresh_client(Confused(), client)
    assert not client.subscriptions.exists()


@pytest.mark.parametrize("query", ["Anna Berg", "Berg"])
def test_somebody_new_is_looked_up_by_name(practice: Practice, query: str) -> None:
    anna = practice.company.add_customer("Anna", "Berg")
    assert refreshing.look_up(practice.billsby, query) == 1
    assert Client.objects.get().billsby_id == anna.uid


def test_somebody_new_is_looked_up_by_their_billsby_id(practice: Practice) -> None:
    practice.company.add_customer("Anna", "Berg", uid="CUSANNA")
    assert refreshing.look_up(practice.billsby, " CUSANNA ") == 1
    assert Client.objects.get().name == "Anna Berg"


@pytest.mark.parametrize("query", ["CUSNOBODY", "Nobody Here", "..", "x" * 300])
def test_nobody_is_found_without_a_fuss(practice: Practice, query: str) -> None:
    practice.company.add_customer("Anna", "Berg")
    assert refreshing.look_up(practice.billsby, query) == 0
    assert not Client.objects.exists()


def test_looking_up_says_when_billsby_does_not_answer(practice: Practice) -> None:
    practice.company.set_down("503")
    with pytest.raises(BillsbyError):
        refreshing.look_up(practice.billsby, "Anna")


def test_live_subscriptions_are_named_first(practice: Practice) -> None:
    client = make_client()
    stopped = make_subscription(client, Subscription.Status.SUSPENDED, billsby_id="A")
    live = make_subscription(client, billsby_id="B")
    assert refreshing.subscriptions_of(client) == [live, stopped]


def test_a_refresh_that_has_not_ended_or_failed_is_not_the_last(practice: Practice) -> None:
    done = Refresh.objects.create(started_at=START, ended_at=START)
    Refresh.objects.create(started_at=START + dt.timedelta(hours=1))
    Refresh.objects.create(started_at=START, ended_at=START, problem="No answer.")
    assert refreshing.last_refresh() == done


def test_the_last_refresh_is_the_one_that_came_last_whatever_the_clock_said(
    practice: Practice,
) -> None:
    Refresh.objects.create(started_at=START + dt.timedelta(days=365), ended_at=START)
    last = Refresh.objects.create(started_at=START, ended_at=START)
    assert refreshing.last_refresh() == last


def test_values_longer_than_a_column_stop_nobody(practice: Practice) -> None:
    long = practice.company.add_customer("A" * 300, "B" * 300, phone_number="1" * 90)
    service = practice.company.add_subscription(long.uid)
    practice.company.add_customer("Bert", "Berg")
    run = refreshing.refresh_all(practice.billsby)
    assert (run.problem, run.clients) == ("", 2)
    client = Client.objects.get(billsby_id=long.uid)
    assert (len(client.first_name), len(client.phone), len(client.phone_digits)) == (200, 64, 64)
    found = replace(
        practice.billsby.subscription(service.uid), status_raw="S" * 90, currency="DOLLARS"
    )
    mirror.keep_subscription(client, found)
    kept = client.subscriptions.get()
    assert (kept.status_raw, kept.currency) == ("S" * 64, "DOL")


def test_what_cannot_be_stored_ends_the_refresh_with_a_sentence(
    practice: Practice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> None:
        raise DataError("value too long for type character varying(64)")

    monkeypatch.setattr(mirror, "keep_summaries", broken)
    run = refreshing.refresh_all(practice.billsby)
    run.refresh_from_db()
    assert (run.problem, run.ended_at) == (refreshing.NOT_STORED, START)
    assert refreshing.last_refresh() is None


def written_in_order(asked: CaptureQueriesContext, names: list[str]) -> list[list[str]]:
    """Of each statement that writes or locks several rows, the names in the order it goes."""
    found = []
    for query in asked.captured_queries:
        said = query["sql"]
        places = {said.find(name): name for name in names if name in said}
        if said.startswith("INSERT") and len(places) > 1:
            found.append([places[place] for place in sorted(places)])
    return found


def test_several_rows_are_always_written_in_the_same_order(practice: Practice) -> None:
    client = make_client(billsby_id="CUS1")
    names = ["NAME-A", "NAME-B", "NAME-C"]
    summaries = [
        SubscriptionSummary(
            billsby_id=name, customer_id="CUS1", status=SubscriptionStatus.ACTIVE, status_raw="x"
        )
        for name in reversed(names)
    ]
    service = practice.company.add_subscription(practice.company.add_customer("A", "B").uid)
    detailed = practice.billsby.subscription(service.uid)
    invoice = Invoice(
        number="",
        amount_minor=1,
        refundable_minor=None,
        currency="USD",
        status=InvoiceStatus.UNPAID,
        status_raw="Unpaid",
        issued_at=None,
    )
    with CaptureQueriesContext(connection) as asked:
        mirror.keep_clients([Customer(billsby_id=name) for name in reversed(names)])
        mirror.keep_summaries(summaries, {"CUS1": client.pk})
        several = [replace(detailed, billsby_id=name) for name in reversed(names)]
        mirror.keep_subscriptions(client, [*several, several[0]])
        mirror.keep_open_invoices(client, [replace(invoice, number=n) for n in reversed(names)])
    assert written_in_order(asked, names) == [names] * 4


@pytest.mark.skipif(not on_postgresql(), reason="SQLite writes one after the other anyway")
def test_several_rows_are_changed_in_the_same_order(practice: Practice) -> None:
    client = make_client()
    make_subscription(client)
    make_invoice(client)
    with CaptureQueriesContext(connection) as asked:
        mirror.mark_gone([client.billsby_id])
        mirror.keep_unlisted(client, [])
        mirror.keep_open_invoices(client, [])
    locking = [one["sql"] for one in asked.captured_queries if "FOR UPDATE" in one["sql"]]
    assert [("ORDER BY" in one) for one in locking] == [True] * 3


def test_a_client_that_vanished_from_billsby_says_so(practice: Practice) -> None:
    with pytest.raises(NotFound):
        refreshing.refresh_client(practice.billsby, make_client(billsby_id="CUSGONE"))


def test_a_clock_set_back_meanwhile_makes_nobody_vanish(practice: Practice) -> None:
    for name in ("Anna", "Bert"):
        customer = practice.company.add_customer(name, "Berg")
        practice.company.add_invoice(customer.uid, 9900, "Unpaid")
    refreshing.refresh_all(practice.billsby)
    clock.advance(dt.timedelta(minutes=15))
    asked_before = len(practice.company.calls())

    class Steps:
        """A Billsby whose list of clients takes a while, in which the clock is set back."""

        def __getattr__(self, name: str) -> object:
            honest = getattr(practice.billsby, name)

            def call(*given: object, **named: object) -> object:
                clock.advance(-dt.timedelta(minutes=1))
                return honest(*given, **named)

            return call

    refreshing.refresh_all(Steps())  # type: ignore[arg-type]

    assert not Client.objects.exclude(gone_at=None).exists()
    asked = [call.path for call in practice.company.calls()[asked_before:]]
    assert not [path for path in asked if path.endswith("/invoices") and "/customers/" in path]
