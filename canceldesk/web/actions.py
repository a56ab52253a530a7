"""What people do on a case's page: each action is a form and the services it calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from canceldesk.billsby.errors import BillsbyError
from canceldesk.cases import findings
from canceldesk.cases import services as cases
from canceldesk.cases.models import Channel, Decision, Message
from canceldesk.cases.services import AlreadyOpenError, CaseError, MovedOnError
from canceldesk.closing import services as closing
from canceldesk.closing.models import Intent
from canceldesk.outside import NotSetUpError
from canceldesk.retention import services as retention
from canceldesk.retention.models import Attempt
from canceldesk.web.forms import case as forms
from canceldesk.web.forms.case import CaseForm

# What a service may raise for a person to read; a refusal of authority is the middleware's.
Trouble = (CaseError, BillsbyError, NotSetUpError)


class HalfDoneError(Exception):
    """The first part of an action was done and stays so; the text says what was not."""


@dataclass(frozen=True)
class Action:
    """`do` carries out a valid form and gives the sentence to show; `panel` is the id of the
    part of the page where it happens.
    """

    form: type[CaseForm]
    do: Callable[[CaseForm], str]
    panel: str


def status_of(problem: Exception) -> HTTPStatus:
    """The HTTP status that says what kind of trouble it was."""
    match problem:
        case MovedOnError() | AlreadyOpenError():
            return HTTPStatus.CONFLICT
        case CaseError():
            return HTTPStatus.UNPROCESSABLE_ENTITY
        case BillsbyError():
            return HTTPStatus.BAD_GATEWAY
        case _:
            return HTTPStatus.SERVICE_UNAVAILABLE


def _note(form: CaseForm) -> str:
    given = form.cleaned_data
    cases.add_message(
        form.case,
        by=form.by,
        direction=Message.Direction(given["direction"]),
        channel=Channel(given["channel"]),
        body=given["body"],
        form_token=given["form_token"],
    )
    return "Noted."


def _attempt(form: CaseForm) -> str:
    given = form.cleaned_data
    retention.attempt(
        form.case,
        by=form.by,
        channel=Channel(given["channel"]),
        offer=Attempt.Offer(given["offer"]),
        answer=Attempt.Answer(given["answer"]),
        note=given["note"],
        form_token=given["form_token"],
    )
    return "The attempt is on record."


def _decide(form: CaseForm) -> str:
    given = form.cleaned_data
    decision = Decision(given["decision"])
    retention.decide(
        form.case,
        by=form.by,
        decision=decision,
        typed_id=given["typed_id"],
        attempts_seen=given["attempts"],
    )
    if decision is Decision.RETAINED:
        return "Retained. The desk gives back what it held."
    if given["invoice"]:
        try:
            closing.approve_write_offs(form.case, by=form.by, seen=given["invoice"])
        except Trouble as problem:
            raise HalfDoneError(
                f"The decision stands, but the write-offs are not approved yet: {problem}"
            ) from problem
    return "Decided. The desk has begun."


def _withdraw(form: CaseForm) -> str:
    given = form.cleaned_data
    cases.withdraw(form.case, by=form.by, because=given["because"], words=given["words"])
    return "Withdrawn."


def _write_off(form: CaseForm) -> str:
    closing.approve_write_offs(form.case, by=form.by, seen=form.cleaned_data["invoice"])
    return "Approved. The desk writes off and goes on."


def _release(form: CaseForm) -> str:
    closing.release_hold(form.case, by=form.by, scope=form.cleaned_data["scope"])
    return "The desk lifts the pause now."


def _take_back(form: CaseForm) -> str:
    closing.take_back(form.case, by=form.by, why=form.cleaned_data["why"])
    row = form.case.intents.filter(kind=Intent.Kind.ROW).first()
    leaves = row is not None and row.is_to_leave
    said = "The decision is taken back."
    return f"{said} The desk takes the row off the list." if leaves else said


def _take_off(form: CaseForm) -> str:
    closing.take_off_list(form.case, by=form.by, why=form.cleaned_data["why"])
    return "The desk takes the row off the list."


def _settle(form: CaseForm) -> str:
    given = form.cleaned_data
    findings.settle(form.case, by=form.by, finding=given["finding"], why=given["why"])
    return "Settled. It does not come back."


def _rewrite(form: CaseForm) -> str:
    closing.rewrite_row(form.case, by=form.by)
    return "The desk writes the row again."


def _retry(form: CaseForm) -> str:
    cases.retry(form.case, by=form.by)
    return "The desk tries again now."


ACTIONS: dict[str, Action] = {
    "note": Action(forms.NoteForm, _note, "talk"),
    "attempt": Action(forms.AttemptForm, _attempt, "retain"),
    "decide": Action(forms.DecideForm, _decide, "decide"),
    "withdraw": Action(forms.WithdrawForm, _withdraw, "withdraw"),
    "write-off": Action(forms.WriteOffForm, _write_off, "write-offs"),
    "release": Action(forms.ReleaseForm, _release, "clicks"),
    "take-back": Action(forms.TakeBackForm, _take_back, "take-back"),
    "take-off-list": Action(forms.TakeOffForm, _take_off, "row"),
    "settle": Action(forms.SettleForm, _settle, "findings"),
    "rewrite": Action(forms.ButtonForm, _rewrite, "row"),
    "retry": Action(forms.ButtonForm, _retry, "head"),
}
