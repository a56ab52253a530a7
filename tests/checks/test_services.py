"""The whole-book comparison of the list with Billsby."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from billsby_sandbox.records import Subscription as PracticeSubscription
from canceldesk import clock
from canceldesk.billsby import BillsbyError
from canceldesk.cases.models import Case, Finding, LogEntry, State
from canceldesk.checks import services as checks
from canceldesk.checks.services import CannotCompareError, Report
from canceldesk.clients import refreshing
from canceldesk.clients.models import Client, Refresh, Subscription
from canceldesk.closing import listing
from canceldesk.closing.models import Watch
from canceldesk.configuration import services as configuration
from canceldesk.workbook.errors import CannotRead
from canceldesk.workbook.protocol import NewRow
from tests.closing.conftest import Desk
from tests.factories import make_case, make_facts, make_watch

JANUARY = dt.date(2026, 1, 5)
STILL_BILLING = Finding.Kind.STILL_BILLING
NOT_LISTED = Finding.Kind.NOT_LISTED
ROW_TWICE = Finding.Kind.ROW_TWICE


def by_hand(name: str, phone: str = "2025550143", **fields: Any) -> NewRow:
    return replace(NewRow(name, phone, JANUARY, 29700, "USD", 3, "Moved away"), **fields)


def compare(desk: Desk) -> Report:
    """Compare the book, with the copy of the clients as new as can be."""
    Refresh.objects.all().delete()
    return checks.compare_book(desk.billsby, desk.the_list)


def found(kind: Finding.Kind | None = None) -> list[Finding]:
    standing = Finding.objects.filter(resolved_at=None)
    return list(standing if kind is None else standing.filter(kind=kind))


def ended_case(desk: Desk, service: PracticeSubscription, **fields: Any) -> Case:
    """A closed case whose row is on the list, asked for before the row's day."""
    client = desk.mirrored(service.customer_uid)
    subscription = Subscription.objects.get(billsby_id=service.uid)
    case = make_case(
        State.CLOSED,
        client=client,
        subscriptions=[subscription],
        received_at=dt.datetime(2026, 1, 4, 12, tzinfo=dt.UTC),
    )
    facts = make_facts(case, **{"phone": client.phone, "cancelled_on": JANUARY, **fields})
    desk.the_list.put([listing.row_for(facts)])
    return case


# On the list but still billing


def test_somebody_on_the_list_who_still_bills_is_found(desk: Desk) -> None:
    _, service = desk.client("Nora", "Field")
    desk.the_list.put([by_hand("Field, Nora", "(202) 555-0143")])
    report = compare(desk)
    assert report.wrong == {STILL_BILLING: 1}
    [finding] = found()
    assert (finding.kind, finding.key) == (STILL_BILLING, service.uid)
    assert finding.client == Client.objects.get()
    for part in ("Nora Field", "5 Jan 2026", "row 4", '"Active"', "12 Mar 2026", "File a request"):
        assert part in finding.sentence


def test_a_second_run_changes_nothing_and_a_mended_one_is_resolved(desk: Desk) -> None:
    _, service = desk.client()
    desk.the_list.put([by_hand("Nora Field"), by_hand("Nora Field")])
    first = compare(desk)
    before = list(Finding.objects.values("pk", "found_at", "resolved_at"))
    entries = LogEntry.objects.count()
    desk.later(hours=2)
    assert compare(desk) == first
    assert list(Finding.objects.values("pk", "found_at", "resolved_at")) == before
    assert LogEntry.objects.count() == entries
    assert {finding.seen_at for finding in found()} == {clock.now()}
    desk.company.panel_suspend(service.uid)
    desk.the_list.rows.pop()
    assert compare(desk).wrong == {}
    assert found() == []
    assert Finding.objects.exclude(resolved_at=None).count() == 2


def test_what_was_resolved_and_happens_again_is_a_new_finding(desk: Desk) -> None:
    _, service = desk.client()
    desk.the_list.put([by_hand("Nora Field")])
    compare(desk)
    desk.company.panel_suspend(service.uid)
    compare(desk)
    desk.company.panel_activate(service.uid)
    compare(desk)
    assert Finding.objects.filter(kind=STILL_BILLING).count() == 2
    assert len(found(STILL_BILLING)) == 1


def test_the_copy_is_not_believed_where_billsby_says_stopped(desk: Desk) -> None:
    _, service = desk.client()
    desk.the_list.put([by_hand("Nora Field")])
    refreshing.refresh_all(desk.billsby)
    desk.company.panel_suspend(service.uid)
    report = checks.compare_book(desk.billsby, desk.the_list)
    assert STILL_BILLING not in report.wrong
    assert Subscription.objects.get().status == "suspended"


def test_a_pause_is_not_a_stop_unless_the_company_says_so(desk: Desk) -> None:
    _, service = desk.client()
    later = clock.now() + dt.timedelta(days=90)
    desk.company.panel_change_bill_date(service.uid, later, pause=True)
    desk.the_list.put([by_hand("Nora Field")])
    assert compare(desk).wrong == {STILL_BILLING: 1}
    configuration.change("STOP_BY", "pause")
    assert compare(desk).wrong == {}


def test_a_name_that_two_clients_share_is_counted_and_never_guessed(desk: Desk) -> None:
    desk.client()
    desk.client()
    desk.the_list.put([by_hand("Nora Field", ""), by_hand("Nobody Known", "6175550100")])
    report = compare(desk)
    assert (report.rows, report.unmatched, report.wrong) == (2, 2, {})
    assert "could not be tied to one client for certain: 2." in report.sentence


def test_who_came_back_with_a_new_service_is_left_alone(desk: Desk) -> None:
    customer = desk.company.add_customer("Nora", "Field", phone_number="2025550143")
    desk.company.add_subscription(customer.uid, created_at=dt.datetime(2026, 2, 1, tzinfo=dt.UTC))
    desk.the_list.put([by_hand("Nora Field")])
    assert compare(desk).wrong == {}


@pytest.mark.parametrize("state", [State.NEW, State.RETENTION, State.CLOSING])
def test_what_is_in_an_open_case_is_being_handled(desk: Desk, state: State) -> None:
    _, service = desk.client()
    client = desk.mirrored(service.customer_uid)
    make_case(state, client=client, subscriptions=list(client.subscriptions.all()))
    desk.the_list.put([by_hand("Nora Field")])
    assert compare(desk).wrong == {}


def test_who_was_retained_after_the_rows_day_is_left_alone_but_a_withdrawn_case_says_nothing(
    desk: Desk,
) -> None:
    _, service = desk.client()
    client = desk.mirrored(service.customer_uid)
    desk.the_list.put([by_hand("Nora Field")])
    case = make_case(State.RETAINED, client=client, subscriptions=list(client.subscriptions.all()))
    assert compare(desk).wrong == {}
    Case.objects.filter(pk=case.pk).update(state=State.WITHDRAWN)
    assert compare(desk).wrong == {STILL_BILLING: 1}


def test_a_request_of_before_the_rows_day_excuses_nothing(desk: Desk) -> None:
    _, service = desk.client()
    client = desk.mirrored(service.customer_uid)
    desk.the_list.put([by_hand("Nora Field")])
    make_case(
        State.RETAINED,
        client=client,
        subscriptions=list(client.subscriptions.all()),
        received_at=dt.datetime(2025, 12, 1, tzinfo=dt.UTC),
    )
    assert compare(desk).wrong == {STILL_BILLING: 1}


def test_by_hand_with_one_service_stopped_and_another_running_is_unclear(desk: Desk) -> None:
    customer, _ = desk.client()
    began = clock.now() - dt.timedelta(days=100)
    desk.company.add_subscription(customer.uid, status="Suspended", created_at=began)
    desk.the_list.put([by_hand("Nora Field")])
    report = compare(desk)
    assert (report.unclear, report.wrong) == (1, {})
    assert "another that bills: 1." in report.sentence


def test_a_case_knows_which_service_was_to_stop(desk: Desk) -> None:
    customer, stopped = desk.client()
    desk.company.add_subscription(customer.uid, created_at=clock.now() - dt.timedelta(days=100))
    ended_case(desk, stopped)
    desk.company.panel_suspend(stopped.uid)
    report = compare(desk)
    assert (report.of_cases, report.unclear, report.wrong) == (1, 0, {})


def test_a_cases_line_says_nothing_of_the_services_outside_it(desk: Desk) -> None:
    customer, first = desk.client()
    second = desk.company.add_subscription(
        customer.uid, created_at=clock.now() - dt.timedelta(days=100)
    )
    desk.the_list.put([by_hand("Nora Field")])
    assert compare(desk).wrong == {STILL_BILLING: 2}
    case = ended_case(desk, second, cancelled_on=dt.date(2026, 2, 5))
    make_watch(case)
    desk.company.panel_suspend(second.uid)
    report = compare(desk)
    assert (report.wrong, report.unclear) == ({STILL_BILLING: 1}, 0)
    assert [finding.key for finding in found()] == [first.uid]
    assert found()[0].resolved_at is None
    assert Finding.objects.filter(key=first.uid).count() == 1, "it never went away"


def test_of_two_lines_of_one_day_the_cases_own_counts_for_its_service(desk: Desk) -> None:
    customer, first = desk.client()
    second = desk.company.add_subscription(
        customer.uid, created_at=clock.now() - dt.timedelta(days=100)
    )
    case = ended_case(desk, second)
    desk.the_list.put([by_hand("Nora Field", reason="Typed by hand")])
    assert compare(desk).wrong[STILL_BILLING] == 2
    assert {finding.key: finding.case for finding in found(STILL_BILLING)} == {
        first.uid: None,
        second.uid: case,
    }


def test_a_newer_line_by_hand_counts_for_every_service(desk: Desk) -> None:
    customer, first = desk.client()
    second = desk.company.add_subscription(
        customer.uid, created_at=clock.now() - dt.timedelta(days=100)
    )
    ended_case(desk, second)
    desk.the_list.put([by_hand("Nora Field", cancelled_on=dt.date(2026, 2, 5))])
    compare(desk)
    assert {finding.key: finding.case for finding in found(STILL_BILLING)} == {
        first.uid: None,
        second.uid: None,
    }


def test_what_became_unclear_is_not_called_mended(desk: Desk) -> None:
    customer, first = desk.client()
    second = desk.company.add_subscription(
        customer.uid, created_at=clock.now() - dt.timedelta(days=100)
    )
    desk.the_list.put([by_hand("Nora Field")])
    compare(desk)
    desk.company.panel_suspend(second.uid)
    report = compare(desk)
    assert (report.wrong, report.unclear) == ({}, 1)
    assert [finding.key for finding in found()] == [first.uid]


def test_what_a_watch_looks_after_is_not_called_mended_while_it_bills(desk: Desk) -> None:
    _, service = desk.client()
    desk.the_list.put([by_hand("Nora Field")])
    compare(desk)
    case = ended_case(desk, service, cancelled_on=dt.date(2026, 2, 5))
    make_watch(case)
    assert compare(desk).wrong == {}
    assert [finding.key for finding in found()] == [service.uid]
    desk.company.panel_suspend(service.uid)
    compare(desk)
    assert found() == []


def test_a_closed_case_that_bills_again_after_its_watch_is_found(desk: Desk) -> None:
    _, service = desk.client()
    case = ended_case(desk, service)
    watch = make_watch(case)
    assert compare(desk).wrong == {}, "the watch looks after it"
    Watch.objects.filter(pk=watch.pk).update(result=Watch.Result.CLEAN)
    assert compare(desk).wrong == {STILL_BILLING: 1}
    assert found()[0].case == case


def test_only_the_newest_line_of_a_client_counts(desk: Desk) -> None:
    customer = desk.company.add_customer("Nora", "Field", phone_number="2025550143")
    desk.company.add_subscription(customer.uid, created_at=dt.datetime(2025, 6, 1, tzinfo=dt.UTC))
    older = by_hand("Nora Field", cancelled_on=dt.date(2025, 1, 5))
    desk.the_list.put([older])
    assert compare(desk).wrong == {}, "they came back after it"
    desk.the_list.put([by_hand("Nora Field")])
    assert compare(desk).wrong == {STILL_BILLING: 1}


def test_what_billsby_knows_no_longer_does_not_bill(desk: Desk) -> None:
    desk.client()
    desk.the_list.put([by_hand("Nora Field")])
    refreshing.refresh_all(desk.billsby)
    Subscription.objects.update(billsby_id="SUBGONE")
    assert checks.compare_book(desk.billsby, desk.the_list).wrong == {}


def test_what_billsby_says_is_somebody_elses_is_not_reported(desk: Desk) -> None:
    _, service = desk.client()
    _, other = desk.client("Anna", "Berg")
    desk.the_list.put([by_hand("Nora Field")])
    refreshing.refresh_all(desk.billsby)
    Subscription.objects.filter(billsby_id=other.uid).delete()
    Subscription.objects.filter(billsby_id=service.uid).update(billsby_id=other.uid)
    assert checks.compare_book(desk.billsby, desk.the_list).wrong == {}


# Stopped but not on the list


@pytest.mark.parametrize("status", ["Suspended", "Cancelled"])
def test_who_is_stopped_but_not_on_the_list_is_found_once(desk: Desk, status: str) -> None:
    customer = desk.company.add_customer("Nora", "Field")
    services = [desk.company.add_subscription(customer.uid) for _ in range(2)]
    for service in services:
        if status == "Suspended":
            desk.company.panel_suspend(service.uid)
        else:
            desk.company.panel_cancel(service.uid, customer.uid)
    assert compare(desk).wrong == {NOT_LISTED: 1}
    [finding] = found()
    assert finding.key == customer.uid
    assert finding.sentence.count(status) == 2
    desk.the_list.put([by_hand("Nora Field", "")])
    assert compare(desk).wrong == {}
    assert found() == []


@pytest.mark.parametrize(
    "row",
    [
        by_hand("FIELD Nora", ""),
        by_hand("Nora Field", "6175550100"),
        by_hand("Ms F.", "2025550143"),
    ],
)
def test_a_line_that_may_be_theirs_counts_as_theirs(desk: Desk, row: NewRow) -> None:
    customer = desk.company.add_customer("Nora", "Field", phone_number="2025550143")
    desk.company.add_subscription(customer.uid, status="Suspended")
    desk.the_list.put([row])
    assert compare(desk).wrong == {}


def test_a_line_that_is_certainly_anothers_does_not_count(desk: Desk) -> None:
    for number in ("2025550143", "3125550199"):
        customer = desk.company.add_customer("Nora", "Field", phone_number=number)
        desk.company.add_subscription(customer.uid, status="Suspended")
    desk.the_list.put([by_hand("Nora Field", "2025550143")])
    assert compare(desk).wrong == {NOT_LISTED: 1}
    assert found()[0].key == customer.uid


@pytest.mark.parametrize(
    ("state", "wrong"),
    [(State.CLOSING, 0), (State.CLOSED, 0), (State.NEW, 0), (State.WITHDRAWN, 1)],
)
def test_what_a_case_stops_is_the_cases_own_business(desk: Desk, state: State, wrong: int) -> None:
    customer = desk.company.add_customer("Nora", "Field")
    desk.company.add_subscription(customer.uid, status="Suspended")
    client = desk.mirrored(customer.uid)
    make_case(state, client=client, subscriptions=list(client.subscriptions.all()))
    assert compare(desk).wrong.get(NOT_LISTED, 0) == wrong


# On the list twice


def test_two_lines_of_one_day_for_one_person_are_found(desk: Desk) -> None:
    desk.the_list.put(
        [by_hand("Anna Berg"), by_hand("Berg, Anna", "+1 202 555 0143", reason="Other")]
    )
    assert compare(desk).wrong == {ROW_TWICE: 1}
    [finding] = found()
    assert "2 times" in finding.sentence
    assert "rows 4 and 5" in finding.sentence
    desk.the_list.rows.pop()
    compare(desk)
    assert found() == []


def test_another_day_or_number_is_another_leaving(desk: Desk) -> None:
    desk.the_list.put(
        [
            by_hand("Anna Berg"),
            by_hand("Anna Berg", cancelled_on=dt.date(2025, 1, 5)),
            by_hand("Anna Berg", "3125550199"),
            by_hand("", ""),
            by_hand("", ""),
        ]
    )
    assert compare(desk).wrong == {}


def test_two_cases_of_one_day_are_two_lines(desk: Desk) -> None:
    customer, first = desk.client()
    second = desk.company.add_subscription(customer.uid)
    for service, reason in ((first, "Too expensive"), (second, "No results")):
        desk.company.panel_suspend(service.uid)
        ended_case(desk, service, reason=reason)
    assert compare(desk).wrong == {}
    desk.the_list.put([by_hand("Nora Field", desk.mirrored(customer.uid).phone)])
    assert compare(desk).wrong == {ROW_TWICE: 1}
    assert found()[0].case is None, "which of the two it repeats is not known"


def test_a_line_by_hand_beside_a_cases_line_is_found_with_its_case(desk: Desk) -> None:
    _, service = desk.client()
    desk.company.panel_suspend(service.uid)
    case = ended_case(desk, service)
    desk.the_list.put([by_hand("Nora Field", case.client.phone)])
    assert compare(desk).wrong == {ROW_TWICE: 1}
    [finding] = found()
    assert (finding.case, finding.key) == (case, case.number)


@pytest.mark.parametrize("has_reference", [True, False])
def test_a_repeated_line_of_a_watched_case_is_left_to_the_watch(
    desk: Desk, has_reference: bool
) -> None:
    desk.the_list.has_reference = has_reference
    _, service = desk.client()
    desk.company.panel_suspend(service.uid)
    case = ended_case(desk, service)
    watch = make_watch(case)
    desk.the_list.rows.append(desk.the_list.rows[0])
    standing = Finding.objects.create(
        kind=ROW_TWICE, key=case.number, case=case, found_at=clock.now(), seen_at=clock.now()
    )
    assert compare(desk).wrong == {}
    standing.refresh_from_db()
    assert standing.resolved_at is None, "the watch's own finding is not touched"
    Watch.objects.filter(pk=watch.pk).update(result=Watch.Result.WRONG)
    assert compare(desk).wrong == {ROW_TWICE: 1}
    desk.the_list.rows.pop()
    compare(desk)
    standing.refresh_from_db()
    assert standing.resolved_at is not None


def test_a_different_line_beside_a_watched_cases_is_not_left_to_the_watch(desk: Desk) -> None:
    _, service = desk.client()
    desk.company.panel_suspend(service.uid)
    case = ended_case(desk, service)
    make_watch(case)
    desk.the_list.put([by_hand("Nora Field", case.client.phone, reason="Typed by hand")])
    assert compare(desk).wrong == {ROW_TWICE: 1}


# Reading


def test_lines_that_cannot_be_understood_are_counted(desk: Desk) -> None:
    desk.client()
    row = desk.the_list.listed(by_hand("Nora Field"))
    desk.the_list.rows = [
        replace(row, cancelled_on=None, raw={"cancelled_on": "in May"}),
        replace(row, cancelled_on=None),
        replace(row, months=None, raw={"months": "few"}, name="Somebody"),
    ]
    report = compare(desk)
    assert report.unreadable == 3
    assert report.wrong == {}, "without a date nobody knows whether they came back since"
    assert "cannot be understood: 3." in report.sentence


@pytest.mark.parametrize("trouble", ["billsby", "list", "half way"])
def test_what_could_not_be_read_changes_no_finding(desk: Desk, trouble: str) -> None:
    _, service = desk.client()
    desk.the_list.put([by_hand("Nora Field"), by_hand("Nora Field")])
    compare(desk)
    before = list(Finding.objects.values())
    desk.the_list.rows = desk.the_list.rows[:1]
    desk.later(hours=2)
    expected: type[Exception] = CannotCompareError
    if trouble == "billsby":
        desk.company.set_down("503")
    elif trouble == "list":
        desk.the_list.trouble, expected = CannotRead("Not there."), CannotRead
    else:
        desk.company.add_fault("status", "GET", f"*/subscriptions/{service.uid}", status=503)
        expected = BillsbyError
    with pytest.raises(expected):
        checks.compare_book(desk.billsby, desk.the_list)
    assert list(Finding.objects.values()) == before


def test_a_young_copy_is_not_read_again(desk: Desk) -> None:
    refreshing.refresh_all(desk.billsby)
    before = len(desk.company.calls())
    desk.later(minutes=50)
    checks.compare_book(desk.billsby, desk.the_list)
    assert len(desk.company.calls()) == before
    desk.later(minutes=20)
    checks.compare_book(desk.billsby, desk.the_list)
    assert len(desk.company.calls()) > before


def test_a_copy_stamped_by_a_clock_far_ahead_is_not_young_for_ever(desk: Desk) -> None:
    refreshing.refresh_all(desk.billsby)
    desk.later(days=-1)
    before = len(desk.company.calls())
    checks.compare_book(desk.billsby, desk.the_list)
    assert len(desk.company.calls()) > before


def test_an_empty_book_is_a_good_book(desk: Desk) -> None:
    report = compare(desk)
    assert report == Report(rows=0, of_cases=0, unmatched=0, unclear=0, unreadable=0, wrong={})
    assert report.sentence == "Compared the list with Billsby. Rows: 0. Wrong: 0."
