"""Money and Billsby's half: each kind of wrong is planted in a clean run and found."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable

import pytest

from tests.chaos.planting import Planted, Row

pytestmark = pytest.mark.xdist_group("oracle")

ONE_DAY = dt.timedelta(days=1)
MONTH = dt.timedelta(days=31)


def rules_of(run: Planted) -> set[str]:
    return {violation.rule for violation in run.violations()}


def _written_off(run: Planted, place: int = 0) -> Row:
    """An event by which the desk wrote off an invoice."""
    query = "SELECT * FROM history WHERE what = 'invoice written off' ORDER BY id"
    found = run.billsby(query)[place]
    return found | {side: json.loads(found[side]) for side in ("before", "after")}


# write-offs


def _never_approved(run: Planted) -> None:
    number = _written_off(run)["subject"]
    run.desk("DELETE FROM closing_writeoffapproval WHERE invoice_number = ?", number)


def _approved_for_less(run: Planted) -> None:
    run.desk("UPDATE closing_writeoffapproval SET amount_minor = amount_minor - 1")


def _approved_by_somebody_else(run: Planted) -> None:
    run.desk(
        "UPDATE closing_writeoffapproval SET by_id = "
        "(SELECT id FROM accounts_user WHERE role = 'manager')"
    )


def _approved_too_late(run: Planted) -> None:
    event = _written_off(run)
    earlier = "2026-03-02T15:00:00.000000+00:00"
    run.billsby("UPDATE history SET at = ? WHERE id = ?", earlier, event["id"])


def _an_agent_above_the_limit(run: Planted) -> None:
    agent = run.desk("SELECT id FROM accounts_user WHERE role = 'agent'")[0]["id"]
    run.desk("UPDATE closing_writeoffapproval SET by_id = ?", agent)
    run.desk("UPDATE cases_logentry SET by_id = ? WHERE verb = 'write_off.approved'", agent)
    run.without_copies()


def _the_debt_of_what_stays(run: Planted) -> None:
    event = _written_off(run, 1)
    stays = run.subscription("Dale", 2)
    for side in ("before", "after"):
        event[side]["subscription_uid"] = stays
        query = f'UPDATE history SET "{side}" = ? WHERE id = ?'  # noqa: S608
        run.billsby(query, json.dumps(event[side]), event["id"])


@pytest.mark.parametrize(
    ("plant", "rules"),
    [
        (_never_approved, {"write_off_not_approved"}),
        (_approved_for_less, {"write_off_not_approved"}),
        (_approved_by_somebody_else, {"write_off_before_approval"}),
        (_approved_too_late, {"write_off_before_approval", "write_without_intent"}),
        (_an_agent_above_the_limit, {"agent_above_limit"}),
        (_the_debt_of_what_stays, {"debt_of_what_stays"}),
    ],
)
def test_a_write_off_without_authority_is_found(
    planted: Planted, plant: Callable[[Planted], None], rules: set[str]
) -> None:
    plant(planted)
    assert rules_of(planted) == rules


def test_a_write_off_by_a_person_in_the_panel_needs_no_approval(planted: Planted) -> None:
    number = _written_off(planted)["subject"]
    planted.desk("DELETE FROM closing_writeoffapproval WHERE invoice_number = ?", number)
    planted.billsby("UPDATE history SET who = 'panel' WHERE subject = ?", number)
    assert rules_of(planted) == set()


# write-offs sent again


def _after(event: Row, seconds: float) -> str:
    """The moment so long after an event, as Billsby writes it."""
    at = dt.datetime.fromisoformat(event["at"]) + dt.timedelta(seconds=seconds)
    return at.isoformat(timespec="microseconds")


def _call(
    run: Planted, after: float, *, fault: str = "", answer: int = 200, read: bool = False
) -> None:
    """One more call to write an invoice off, or to read the client's, so many seconds after it was
    written off.
    """
    event = _written_off(run)
    client = event["after"]["customer_uid"]
    writes = f"/acme/invoices/{event['subject']}/WrittenOff"
    reads = f"/acme/customers/{client}/invoices"
    run.billsby(
        "INSERT INTO call (at, method, path, query, body, answer, fault) "
        "VALUES (?, ?, ?, '', '', ?, ?)",
        _after(event, after),
        "GET" if read else "PUT",
        reads if read else writes,
        answer,
        fault,
    )


def _deed(run: Planted, what: str, after: float) -> None:
    """Something that was done to the desk's processes."""
    at = _after(_written_off(run), after)
    run.note("mischief", what, at=at, offset_seconds=0, process="worker-1")


@pytest.mark.parametrize("answer", [200, 400])
@pytest.mark.parametrize("after", [0.5, 30, 120])
def test_a_write_off_that_is_sent_again_is_found(
    planted: Planted, after: float, answer: int
) -> None:
    _call(planted, after, answer=answer)
    assert rules_of(planted) == {"written_off_again"}


def test_one_that_is_sent_five_times_is_found_four_times(planted: Planted) -> None:
    for after in (1, 2, 3, 4):
        _call(planted, after)
    number = _written_off(planted)["subject"]
    assert [one.subject for one in planted.violations()] == [number] * 4


def _the_clock_was_stepped_and_time_enough_passed_to_read(run: Planted) -> None:
    _deed(run, "clock", 10)
    _call(run, 90)


def _a_process_was_stopped_long_before(run: Planted) -> None:
    _deed(run, "paused", -3)
    _deed(run, "resumed", 0)
    _call(run, 90)


def _misled_too_late(run: Planted) -> None:
    _call(run, 30)
    _call(run, 31, fault="stale", read=True)


def _told_by_the_answer_alone(run: Planted) -> None:
    run.billsby("UPDATE call SET fault = 'drop_after' WHERE method = 'GET'")
    _call(run, 30)


def _its_answer_was_lost_and_it_was_read_back(run: Planted) -> None:
    run.billsby("UPDATE call SET fault = 'drop_after', answer = 0 WHERE path LIKE '%/WrittenOff'")
    _call(run, 30)


def _two_cases_may_write_it_off(run: Planted) -> None:
    number = _written_off(run)["subject"]
    query = "SELECT * FROM closing_writeoffapproval WHERE case_id = ?"
    approval = run.desk(query, run.case("Dale"))[0]
    run.twin("closing_writeoffapproval", approval, invoice_number=number)
    _call(run, 20)


def _misled_after_it_was_noted(run: Planted) -> None:
    _call(run, 30, fault="stale", read=True)
    _call(run, 120)


@pytest.mark.parametrize(
    "plant",
    [
        _the_clock_was_stepped_and_time_enough_passed_to_read,
        _a_process_was_stopped_long_before,
        _misled_too_late,
        _told_by_the_answer_alone,
        _its_answer_was_lost_and_it_was_read_back,
        _two_cases_may_write_it_off,
        _misled_after_it_was_noted,
    ],
)
def test_what_went_wrong_at_another_time_is_no_excuse_for_sending_it_again(
    planted: Planted, plant: Callable[[Planted], None]
) -> None:
    plant(planted)
    assert rules_of(planted) == {"written_off_again"}


def _the_first_did_nothing(run: Planted) -> None:
    _call(run, -61, answer=500, fault="status")
    _call(run, -122, answer=0, fault="drop_before")


def _both_came_at_once(run: Planted) -> None:
    _call(run, 1, answer=0, fault="timeout")


def _nobody_was_told(run: Planted) -> None:
    run.billsby("UPDATE call SET fault = 'drop_after', answer = 0")
    _call(run, 120)


def _an_answer_was_stale(run: Planted) -> None:
    _call(run, 2, fault="stale", read=True)
    _call(run, 4)


def _an_answer_was_of_another_client(run: Planted) -> None:
    _call(run, 2, fault="rubbish", read=True)
    _call(run, 4)


def _a_process_has_just_gone_on(run: Planted) -> None:
    _deed(run, "paused", -30)
    _deed(run, "resumed", 118)
    _call(run, 120)


def _the_clock_was_stepped_on(run: Planted) -> None:
    _deed(run, "clock", -2)
    _call(run, 20)


@pytest.mark.parametrize(
    "plant",
    [
        _the_first_did_nothing,
        _both_came_at_once,
        _nobody_was_told,
        _an_answer_was_stale,
        _an_answer_was_of_another_client,
        _a_process_has_just_gone_on,
        _the_clock_was_stepped_on,
    ],
)
def test_a_write_off_that_had_to_be_sent_again_is_fine(
    planted: Planted, plant: Callable[[Planted], None]
) -> None:
    plant(planted)
    assert rules_of(planted) == set()


@pytest.mark.parametrize(("after", "is_excused"), [(60, True), (200, False)])
def test_a_new_word_allows_it_only_afterwards(
    planted: Planted, after: float, is_excused: bool
) -> None:
    number = _written_off(planted)["subject"]
    query = "SELECT * FROM cases_logentry WHERE verb = 'write_off.approved' AND data LIKE ?"
    word = planted.desk(query, f"%{number}%")[0]
    said_at = _after(_written_off(planted), after)[:19].replace("T", " ")
    planted.twin("cases_logentry", word, at=said_at)
    _call(planted, 100, fault="stale", read=True)
    _call(planted, 120)
    assert ("written_off_again" not in rules_of(planted)) is is_excused


# charges


def _charge(run: Planted, subscription: str, *, at: str = "", by: str = "billing") -> Row:
    """Let Billsby renew a subscription and issue the invoice."""
    record = run.record("subscription", "uid", subscription)
    began = dt.datetime.fromisoformat(record["next_billing_at"])
    after = record | {"status": "Active", "next_billing_at": (began + MONTH).isoformat()}
    run.happen("subscription renewed", by, record, after, at=at)
    like = run.billsby("SELECT * FROM invoice ORDER BY id")[0]
    number = f"{record['customer_uid']}-77"
    invoice = like | {
        "id": 7777,
        "number": number,
        "customer_uid": record["customer_uid"],
        "subscription_uid": subscription,
        "status": "Paid",
    }
    marks = ", ".join("?" * len(invoice))
    run.billsby(f"INSERT INTO invoice VALUES ({marks})", *invoice.values())  # noqa: S608
    run.happen("invoice issued", by, {}, invoice | {"status": "Pending"}, at=at)
    run.happen("invoice paid", by, invoice | {"status": "Pending"}, invoice, at=at)
    return invoice


def _after_the_hold(run: Planted) -> None:
    _charge(run, run.subscription("Marsh"))


def _after_the_stop(run: Planted) -> None:
    _charge(run, run.subscription("Field"))


def _without_any_hold(run: Planted) -> None:
    subscription = run.subscription("Marsh")
    run.billsby("DELETE FROM history WHERE subject = ? AND who = 'api'", subscription)
    _charge(run, subscription)


def _before_the_leap_and_long_after_the_request(run: Planted) -> None:
    """Billsby's clock is pushed ahead at the end alone; what is before it was in the busy part."""
    _without_any_hold(run)
    run.billsby("DELETE FROM history WHERE what = 'clock moved'")


def _collected_after_closing(run: Planted) -> None:
    event = _written_off(run)
    paid = event["before"] | {"status": "Paid"}
    run.happen("invoice paid", "billing", event["before"], paid)


@pytest.mark.parametrize(
    ("plant", "rules"),
    [
        (_after_the_hold, {"charged_after_hold"}),
        (_after_the_stop, {"charged_after_stop"}),
        (_without_any_hold, {"charged_without_hold"}),
        (_before_the_leap_and_long_after_the_request, {"charged_unheld"}),
        (_collected_after_closing, {"collected_after_closing"}),
    ],
)
def test_a_charge_after_the_hold_or_the_stop_is_found(
    planted: Planted, plant: Callable[[Planted], None], rules: set[str]
) -> None:
    plant(planted)
    assert rules_of(planted) == rules


def test_a_charge_of_a_service_that_a_person_started_again_is_fine(planted: Planted) -> None:
    subscription = planted.subscription("Field")
    _charge(planted, subscription, by="panel")
    planted.billsby("UPDATE subscription SET status = 'Active' WHERE uid = ?", subscription)
    assert rules_of(planted) == set()


def test_the_clients_who_stay_are_charged_and_that_is_fine(planted: Planted) -> None:
    query = "SELECT 1 FROM history WHERE what = 'invoice issued' AND who = 'billing'"
    assert planted.billsby(query)


# stopping


def _running(run: Planted) -> None:
    run.billsby(
        "UPDATE subscription SET status = 'Active' WHERE uid = ?", run.subscription("Field")
    )


def _suspended_instead_of_cancelled(run: Planted) -> None:
    run.billsby(
        "UPDATE subscription SET status = 'Suspended' WHERE uid = ?", run.subscription("Reed")
    )


def _an_open_invoice(run: Planted) -> None:
    number = _written_off(run)["subject"]
    run.billsby("UPDATE invoice SET status = 'Unpaid', amount = 4900 WHERE number = ?", number)


def _an_open_one_time_charge(run: Planted) -> None:
    number = _written_off(run)["subject"]
    run.billsby(
        "UPDATE invoice SET status = 'Pending', subscription_uid = NULL WHERE number = ?", number
    )


def _cancelled_instead_of_suspended(run: Planted) -> None:
    record = run.record("subscription", "uid", run.subscription("Field"))
    after = record | {"status": "Cancelled"}
    run.happen("subscription cancelled", "api", record, after)


def _a_hold_on_what_stays(run: Planted) -> None:
    record = run.record("subscription", "uid", run.subscription("Dale", 2))
    after = record | {"status": "Paused"}
    run.happen("subscription paused", "api", record, after)


def _a_refused_kind_of_write(run: Planted) -> None:
    record = run.record("subscription", "uid", run.subscription("Field"))
    run.happen("plan changed", "api", record, record | {"cycle_id": 2})


def _a_write_off_of_a_stranger(run: Planted) -> None:
    event = _written_off(run)
    for side in ("before", "after"):
        stranger = event[side] | {"customer_uid": "STRANGER"}
        query = f'UPDATE history SET "{side}" = ? WHERE id = ?'  # noqa: S608
        run.billsby(query, json.dumps(stranger), event["id"])


@pytest.mark.parametrize(
    ("plant", "rules"),
    [
        (_running, {"not_stopped"}),
        (_suspended_instead_of_cancelled, {"not_stopped"}),
        (_an_open_invoice, {"open_invoice_left"}),
        (_an_open_one_time_charge, {"open_invoice_left"}),
        (_cancelled_instead_of_suspended, {"cancelled_instead", "write_without_intent"}),
        (_a_hold_on_what_stays, {"outside_the_scope", "write_without_intent", "write_not_told"}),
        (_a_refused_kind_of_write, {"outside_the_scope"}),
        (_a_write_off_of_a_stranger, {"outside_the_scope", "write_without_intent"}),
    ],
)
def test_what_is_stopped_wrongly_or_touched_without_need_is_found(
    planted: Planted, plant: Callable[[Planted], None], rules: set[str]
) -> None:
    plant(planted)
    assert rules <= rules_of(planted)
    assert rules_of(planted) <= {*rules, "write_not_told"}


# holds


def _given_back(run: Planted, last_name: str) -> Row:
    """The event by which the desk gave a hold back."""
    return run.event("subscription active", run.subscription(last_name))


def _kept(run: Planted) -> None:
    subscription = run.subscription("Stone")
    run.billsby("DELETE FROM history WHERE id = ?", _given_back(run, "Stone")["id"])
    run.billsby("DELETE FROM history WHERE subject = ? AND who = 'billing'", subscription)
    run.billsby(
        "DELETE FROM history WHERE who = 'billing' AND subject IN "
        "(SELECT number FROM invoice WHERE subscription_uid = ?)",
        subscription,
    )


def _given_back_on(run: Planted, day: str) -> None:
    event = _given_back(run, "Stone")
    after = event["after"] | {"next_billing_at": f"{day}T00:00:00.000000+00:00"}
    run.billsby('UPDATE history SET "after" = ? WHERE id = ?', json.dumps(after), event["id"])


def test_a_hold_that_is_kept_although_the_client_stays_is_found(planted: Planted) -> None:
    _kept(planted)
    assert rules_of(planted) == {"hold_kept"}


@pytest.mark.parametrize("day", ["2026-03-03", "2026-03-05", "2026-04-04"])
def test_a_hold_that_is_given_back_on_another_date_is_found(planted: Planted, day: str) -> None:
    _given_back_on(planted, day)
    assert rules_of(planted) == {"hold_given_back_wrongly"}


def test_a_hold_given_back_after_its_date_comes_back_on_the_same_day_of_the_next_month(
    planted: Planted,
) -> None:
    """The desk never charges for the time in which it held."""
    held = planted.event("subscription paused", planted.subscription("Stone"))
    passed = held["before"] | {"next_billing_at": "2026-02-27T00:00:00.000000+00:00"}
    planted.billsby('UPDATE history SET "before" = ? WHERE id = ?', json.dumps(passed), held["id"])
    _given_back_on(planted, "2026-03-27")
    assert rules_of(planted) == set()
    _given_back_on(planted, "2026-04-27")
    assert rules_of(planted) == {"hold_given_back_wrongly"}


def test_a_hold_may_come_back_a_day_later_where_its_day_has_begun_in_billsby(
    planted: Planted,
) -> None:
    """Billsby refuses today, and its clock may be before the desk's."""
    held = planted.event("subscription paused", planted.subscription("Stone"))
    today = dt.datetime.fromisoformat(_given_back(planted, "Stone")["at"]).date()
    due = held["before"] | {"next_billing_at": f"{today + ONE_DAY}T23:00:00.000000+00:00"}
    planted.billsby('UPDATE history SET "before" = ? WHERE id = ?', json.dumps(due), held["id"])
    _given_back_on(planted, str(today + 2 * ONE_DAY))
    assert rules_of(planted) == {"hold_given_back_wrongly"}
    _put_billsbys_clock_on(planted, _given_back(planted, "Stone"))
    assert rules_of(planted) == set()
    _given_back_on(planted, str(today + 3 * ONE_DAY))
    assert rules_of(planted) == {"hold_given_back_wrongly"}


def _put_billsbys_clock_on(run: Planted, event: Row) -> None:
    """By a day, for one event."""
    run.billsby("UPDATE history SET id = -id - 1 WHERE id = ?", event["id"])
    run.billsby("UPDATE history SET id = -id - 2 WHERE id > ?", event["id"])
    run.billsby("UPDATE history SET id = -id WHERE id < 0")
    before = run.billsby(
        "SELECT \"after\" FROM history WHERE what = 'clock moved' AND id < ? ORDER BY id DESC",
        event["id"],
    )
    usual = json.loads(before[0]["after"])["offset_seconds"] if before else 0
    later = dt.datetime.fromisoformat(event["at"]) + ONE_DAY
    run.billsby("UPDATE history SET at = ? WHERE id = ?", later.isoformat(), event["id"] + 1)
    for key, offset in ((0, usual + ONE_DAY.total_seconds()), (2, usual)):
        after = json.dumps({"offset_seconds": offset})
        run.billsby(
            'INSERT INTO history (id, at, who, what, subject, "before", "after") '
            "VALUES (?, ?, 'practice', 'clock moved', 'clock', '{}', ?)",
            event["id"] + key,
            event["at"],
            after,
        )
