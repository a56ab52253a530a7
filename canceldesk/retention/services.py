"""Managers keep clients, or decide that they may go."""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet

from canceldesk import clock
from canceldesk.accounts.models import User
from canceldesk.cases import authority, log, waking
from canceldesk.cases import services as cases
from canceldesk.cases.authority import Act
from canceldesk.cases.log import Verb
from canceldesk.cases.models import UNDECIDED_STATES, Case, Channel, Decision, State
from canceldesk.retention.models import Attempt


class WrongIdError(cases.CaseError):
    """The typed Billsby ID is not this client's."""


def queue() -> QuerySet[Case]:
    """Undecided cases, those charged next first."""
    return (
        Case.objects.filter(state__in=UNDECIDED_STATES)
        .select_related("client", "reason", "filed_by")
        .prefetch_related("attempts")
        .order_by(F("next_charge_at").asc(nulls_last=True), "received_at", "pk")
    )


def attempt(
    case: Case,
    *,
    by: User,
    channel: Channel,
    offer: Attempt.Offer,
    answer: Attempt.Answer,
    note: str = "",
    at: dt.datetime | None = None,
    form_token: str | None = None,
) -> Attempt:
    """Record a manager's effort to keep the client; a new case moves into retention by it.

    The same `form_token` again gives the same attempt. Raises MovedOnError once the case is
    decided, NotAllowedError.
    """
    authority.require(by, Act.RETAIN)
    if posted := _posted_before(case, form_token):
        return posted
    try:
        with transaction.atomic():
            cases.move(case, State.RETENTION, only_from=UNDECIDED_STATES)
            made = Attempt.objects.create(
                case=case,
                by=by,
                at=at or clock.now(),
                channel=channel,
                offer=offer,
                answer=answer,
                note=note.strip(),
                form_token=form_token or None,
            )
            log.record(Verb.CASE_ATTEMPT, by=by, case=case, offer=offer.label, answer=answer.label)
            waking.wake(case.pk)
    except IntegrityError:
        if posted := _posted_before(case, form_token):
            return posted
        raise
    return made


def _posted_before(case: Case, form_token: str | None) -> Attempt | None:
    return case.attempts.filter(form_token=form_token).first() if form_token else None


def decide(
    case: Case,
    *,
    by: User,
    decision: Decision,
    typed_id: str = "",
    attempts_seen: int | None = None,
) -> None:
    """A manager's word. `suspend` and `cancel` start the closing, `retained` ends the case.

    `cancel` cannot be undone in Billsby and needs the client's Billsby ID typed. `attempts_seen` is
    how many attempts were on the page that the manager decided by, if it was one.
    Raises WrongIdError, MovedOnError when it is decided already or a colleague has made another
    attempt since, NotAllowedError.
    """
    authority.require(by, Act.DECIDE)
    if decision == Decision.CANCEL:
        authority.require(by, Act.FULL_CANCEL)
        if typed_id.strip() != case.client.billsby_id:
            raise WrongIdError(
                "That is not this client's Billsby ID. Type it just as it is shown beside the "
                "client's name, capital letters too; cancelling cannot be undone."
            )
    to = State.RETAINED if decision == Decision.RETAINED else State.CLOSING
    with transaction.atomic():
        cases.changed(case)  # locks it: no attempt comes in between
        if attempts_seen is not None:
            _check_that_all_were_seen(case, attempts_seen)
        cases.move(
            case,
            to,
            only_from=UNDECIDED_STATES,
            decision=decision,
            decided_by=by,
            decided_at=clock.now(),
        )
        log.record(Verb.CASE_DECIDED, by=by, case=case, decision=decision.label)
        waking.wake(case.pk)


def _check_that_all_were_seen(case: Case, attempts_seen: int) -> None:
    if Attempt.objects.filter(case=case).count() != attempts_seen:
        raise cases.MovedOnError(
            f"Somebody has recorded an attempt to keep {case.client} since the page was loaded. "
            "Look at it before you decide."
        )
