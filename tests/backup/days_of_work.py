"""Stories of what was done after the backup: nothing of it is done twice."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib.sessions.models import Session

from canceldesk import clock, outside
from canceldesk.backup import (
    making,
    restoring,
)
from canceldesk.cases import log
from canceldesk.cases.models import Case, Decision, Finding, LogEntry
from canceldesk.checks.services import compare_book
from canceldesk.closing import services as closing
from canceldesk.closing.models import Facts, Hold, Intent, Step
from tests.backup.book import WORK, story
from tests.backup.desks import DAY, START, Desk, a_desk, wipe


def _steps(case: Case) -> dict[str, str]:
    return {step.name: step.sentence for step in Step.objects.filter(case=case)}


@story
def closed_today(*, with_reference: bool, decided: str, days_later: int) -> dict[str, Any]:
    """A case that the backup knows as `decided` says is closed; then the backup is put back, and
    people decide again where they must, on the same day or later.
    """
    with a_desk(WORK, with_reference=with_reference) as desk:
        former = desk.close(desk.client("Former"))
        case = desk.file(desk.client("Nora", owed=(4900, 5100)))
        desk.work_on()
        if decided == "before":
            desk.decide(case)
            desk.approve(case)
        file = making.make().file
        if decided == "after":
            desk.decide(case)
            desk.approve(case)
        desk.work_on()
        case.refresh_from_db()
        closed_first = case.state
        first = desk.rows()
        clock.advance(days_later * DAY)

        restoring.restore(file)
        restored = Case.objects.get(pk=case.pk)
        as_restored = restored.state
        if decided == "after":
            desk.decide(restored)
        desk.work_on()
        stuck = Case.objects.get(pk=case.pk)
        return {
            "closed_first": closed_first,
            "restored": as_restored,
            "state": stuck.state,
            "waits": stuck.waits_sentence,
            "steps": _steps(stuck),
            "rows": desk.rows(),
            "rows_are_the_first": desk.rows() == first,
            "former": Case.objects.get(pk=former.pk).state,
            "written_off": desk.history("invoice written off"),
            "write_off_calls": desk.calls("WrittenOff"),
            "log": [log.sentence(one) for one in LogEntry.objects.filter(verb="desk.restored")],
            "collected": stuck.facts.collected_minor,
            "next_charge": str(stuck.facts.next_charge_at),
        }


@story
def filed_today() -> dict[str, Any]:
    """A case filed and closed after the backup is not in it; others are filed afterwards."""
    with a_desk(WORK) as desk:
        before = desk.close(desk.client("Former"))
        file = making.make().file
        lost = desk.close(desk.client("Lost"))
        rows = desk.rows()

        done = restoring.restore(file)
        new = desk.close(desk.client("Another"))
        return {
            "before": before.number,
            "lost": lost.number,
            "announced": done.right.next_number,
            "new": new.number,
            "new_pk": new.pk,
            "rows_before": rows,
            "rows": desk.rows(),
        }


@story
def filed_today_and_replaced_database_gone(*, highest: int) -> dict[str, Any]:
    """Only the list knows how far the numbers went: the machine of the backup is a new one."""
    with a_desk(WORK) as desk:
        file = making.make().file
        case = desk.file(desk.client("Lost"))
        Case.objects.filter(pk=case.pk).update(form_token=None)
        desk.decide(case)
        desk.work_on()
        _renumber_on_the_list(desk, case.number, f"C-{highest:05d}")
        wipe(WORK)
        done = restoring.restore(file)
        return {"next": done.right.next_number, "new": desk.file(desk.client("Another")).pk}


def _renumber_on_the_list(desk: Desk, old: str, new: str) -> None:
    import openpyxl

    book = openpyxl.load_workbook(desk.workbook)
    for row in book.worksheets[0].iter_rows():
        for cell in row:
            if cell.value == old:
                cell.value = new
    book.save(desk.workbook)


@story
def held_today(*, then: str, days: int) -> dict[str, Any]:
    """A hold placed after the backup, for a case that was open in it."""
    with a_desk(WORK) as desk:
        subscription = desk.client("Nora")
        case = desk.file(subscription)
        original = desk.next_charge(subscription)
        file = making.make().file
        desk.work_on()
        held = desk.next_charge(subscription)
        holds_first = Hold.objects.count()
        clock.advance(days * DAY)

        done = restoring.restore(file)
        desk.decide(Case.objects.get(pk=case.pk), Decision(then))
        desk.work_on()
        case = Case.objects.get(pk=case.pk)
        return {
            "holds_first": holds_first,
            "was_moved": held > original,
            "adopted": done.right.adopted.holds,
            "problem": done.right.adopted.problem,
            "state": case.state,
            "original": str(original.date()),
            "next_charge": str(desk.next_charge(subscription).date()),
            "facts": [str(at.date()) for at in _charges_in_facts(case)],
            "log": [log.sentence(one) for one in case.log.filter(verb__startswith="hold.")],
        }


@story
def renewed_today() -> dict[str, Any]:
    """A hold that was renewed after the backup, and a client who stays."""
    with a_desk(WORK) as desk:
        subscription = desk.client("Nora")
        case = desk.file(subscription)
        original = desk.next_charge(subscription)
        desk.work_on()
        until = desk.next_charge(subscription)
        clock.advance(until - clock.now() - 3 * DAY)
        file = making.make().file
        desk.work_on()
        renewed = desk.next_charge(subscription)

        done = restoring.restore(file)
        desk.decide(Case.objects.get(pk=case.pk), Decision.RETAINED)
        desk.work_on()
        return {
            "was_renewed": renewed > until + 100 * DAY,
            "adopted": done.right.adopted.holds,
            "state": Case.objects.get(pk=case.pk).state,
            "same_day": desk.next_charge(subscription).day == original.day,
            "charged_in_days": (desk.next_charge(subscription) - clock.now()).days,
            "log": [log.sentence(one) for one in case.log.filter(verb="hold.renewed")],
        }


def _charges_in_facts(case: Case) -> list[dt.datetime]:
    found = Facts.objects.filter(case=case).values_list("next_charge_at", flat=True)
    return [at for at in found if at is not None]


@story
def held_for_nobody() -> dict[str, Any]:
    """A case filed and held after the backup; then nobody knows of either."""
    with a_desk(WORK) as desk:
        file = making.make().file
        desk.file(desk.client("Lost"))
        desk.work_on()

        restoring.restore(file)
        report = compare_book(outside.billsby(), outside.the_list())
        found = Finding.objects.filter(resolved_at=None)
        return {"wrong": sum(report.wrong.values()), "said": [one.sentence for one in found]}


@story
def signed_in_and_told() -> dict[str, Any]:
    """What must not come back: sessions, and an e-mail that may have been sent already."""
    with a_desk(WORK) as desk:
        case = desk.file(desk.client("Nora"))
        Session.objects.create(session_key="s", session_data="", expire_date=START + DAY)
        Case.objects.update(lease_owner="w", lease_until=START, failures=3)
        file = making.make().file

        done = restoring.restore(file)
        case.refresh_from_db()
        restored = {"token": case.lease_token, "lease": case.lease_owner, "due": case.next_pass_at}
        desk.decide(case)
        desk.work_on()
        telling = Intent.objects.get(case=case, kind=Intent.Kind.CONFIRM)
        stands = closing.why_decision_stands(case)
        return restored | {
            "sessions": Session.objects.count(),
            "woken": done.right.woken,
            "state": Case.objects.get(pk=case.pk).state,
            "tries": telling.request["tries"],
            "why": telling.answer["why"],
            "decision_stands": stands,
        }


@story
def twice() -> dict[str, Any]:
    """The same backup is put back again, and then what it replaced the first time."""
    with a_desk(WORK) as desk:
        desk.close(desk.client("Former"))
        file = making.make().file
        desk.close(desk.client("Lost"))
        first = restoring.restore(file)
        second = restoring.restore(file)
        assert first.aside is not None
        assert second.aside is not None
        cases_after_second = Case.objects.count()
        clock.advance(DAY)
        back = restoring.restore(first.aside.file)
        desk.work_on()
        return {
            "cases_after_second": cases_after_second,
            "cases_after_undoing": Case.objects.count(),
            "numbers": [done.right.next_number for done in (first, second, back)],
            "files_differ": first.aside.file != second.aside.file,
            "rows": len(desk.rows()),
            "states": sorted(case.state for case in Case.objects.all()),
        }


@story
def cancelling_taken_back_today(*, has_row: bool) -> dict[str, Any]:
    """Decided to cancel, and waiting for an approval, when the backup was made; then the decision
    was taken back and the client stayed.
    """
    with a_desk(WORK) as desk:
        case = desk.file(desk.client("Nora", owed=(4900,)))
        desk.decide(case, Decision.CANCEL)
        if has_row:
            desk.work_on()
        file = making.make().file
        desk.work_on()
        desk.take_back(case)
        desk.decide(case, Decision.RETAINED)
        desk.work_on()
        stayed = (case.state, desk.rows())
        desk.pay(case)  # nothing blocks a cancellation any more

        done = restoring.restore(file)
        desk.work_on()
        case = Case.objects.get(pk=case.pk)
        before = {"state": case.state, "attention": case.attention, "rows": desk.rows()}
        desk.decide(case, Decision.RETAINED)
        desk.work_on()
        case.refresh_from_db()
        return {
            "stayed": stayed,
            "to_decide": done.right.to_decide.cases,
            **before,
            "cancelled": desk.history("subscription cancelled"),
            "log": [log.sentence(one) for one in case.log.filter(verb="case.decide_again")],
            "then": (case.state, case.attention),
        }


@story
def cancelled_today(*, billsby: str) -> dict[str, Any]:
    """Decided to cancel, and waiting for an approval, when the backup was made; then it was
    approved, and the case closed.
    """
    with a_desk(WORK) as desk:
        case = desk.file(desk.client("Nora", owed=(4900,)))
        desk.decide(case, Decision.CANCEL)
        file = making.make().file
        desk.work_on()
        desk.approve(case)
        desk.work_on()
        case.refresh_from_db()
        closed_first, first = case.state, desk.rows()

        desk.company.set_down(billsby)
        done = restoring.restore(file)
        desk.company.set_down("no")
        desk.work_on()
        restored = Case.objects.get(pk=case.pk)
        as_restored = restored.state
        if done.right.to_decide.cases:
            desk.decide(restored, Decision.CANCEL)
            desk.work_on()
            restored.refresh_from_db()
        return {
            "closed_first": closed_first,
            "to_decide": done.right.to_decide.cases,
            "restored": as_restored,
            "state": restored.state,
            "rows_are_the_first": desk.rows() == first,
            "rows": len(desk.rows()),
            "cancelled": desk.history("subscription cancelled"),
            "cancel_calls": desk.calls("/subscriptions/", "DELETE"),
            "written_off": desk.history("invoice written off"),
            "write_off_calls": desk.calls("WrittenOff"),
        }


@story
def approved_before() -> dict[str, Any]:
    """A write-off was approved, but not made, when the backup was made."""
    with a_desk(WORK) as desk:
        case = desk.file(desk.client("Nora", owed=(4900,)))
        desk.decide(case)
        desk.approve(case)
        file = making.make().file
        desk.take_back(case)

        done = restoring.restore(file)
        desk.work_on()
        case = Case.objects.get(pk=case.pk)
        unapproved = {
            "state": case.state,
            "waits": _steps(case)["clear"],
            "written_off": desk.history("invoice written off"),
        }
        desk.approve(case)
        desk.work_on()
        return {
            "forgotten": done.right.to_decide.approvals,
            **unapproved,
            "log": [log.sentence(one) for one in case.log.filter(verb="write_off.unapproved")],
            "then": Case.objects.get(pk=case.pk).state,
        }
