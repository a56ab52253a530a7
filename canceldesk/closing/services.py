"""What people do in a closing: approve write-offs, release a hold for a click, take a decision
back, have a row taken off the list or written again. What only the desk may find, it finds in
`advance`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from canceldesk import clock, outside
from canceldesk.accounts.models import User
from canceldesk.billsby import Billsby, Invoice, InvoiceStatus
from canceldesk.cases import authority, log, waking
from canceldesk.cases import services as cases
from canceldesk.cases.authority import Act, NotAllowedError
from canceldesk.cases.log import Verb
from canceldesk.cases.models import Case, CaseSubscription, State
from canceldesk.cases.services import CaseError
from canceldesk.clients import mirror
from canceldesk.clients.models import Subscription
from canceldesk.closing import invoices
from canceldesk.closing.models import Facts, Hold, Intent, Step, WriteOffApproval
from canceldesk.closing.shown import money
from canceldesk.configuration import services as configuration


@dataclass(frozen=True)
class Seen:
    """An invoice as the person saw it when approving: the amount binds."""

    number: str
    amount_minor: int


def approve_write_offs(case: Case, *, by: User, seen: Sequence[Seen]) -> None:
    """Approve writing off invoices of an open case, at the amounts the person saw.

    Amounts are read afresh in Billsby; one that grew meanwhile is refused. The limit for
    agents counts everything approved in the case so far, so that it cannot be split.
    Raises NotAllowedError, CaseError, BillsbyError; MovedOnError when the case went on while
    Billsby was read.
    """
    authority.require(by, Act.WRITE_OFF)
    if not case.is_open:
        raise CaseError(f"{case.number} has ended; nothing more is written off in it.")
    if not seen:
        raise CaseError("Choose at least one invoice to write off.")
    billsby = outside.billsby()
    now_there = billsby.customer_invoices(case.client.billsby_id)
    mirror.keep_open_invoices(case.client, now_there)
    chosen = [_chosen(now_there, one) for one in seen]
    _check_owner(billsby, case, chosen)
    with transaction.atomic():
        # Locks the case, so that two approvals at once cannot both stay below the limit.
        cases.changed(case)
        _check_not_moved_on(case)
        _check_limit(case, by, chosen)
        for invoice in chosen:
            WriteOffApproval.objects.create(
                case=case,
                invoice_number=invoice.number,
                amount_minor=invoice.amount_minor,
                currency=invoice.currency,
                by=by,
                at=clock.now(),
            )
        log.record(
            Verb.WRITE_OFF_APPROVED,
            by=by,
            case=case,
            total=money(sum(i.amount_minor for i in chosen), chosen[0].currency),
            invoices=", ".join(invoice.number for invoice in chosen),
        )
        waking.wake(case.pk)


def _check_not_moved_on(case: Case) -> None:
    """Taking the decision back forgets approvals; one that comes after it would stand for the next
    decision.
    """
    if not Case.objects.filter(pk=case.pk, state=case.state).exists():
        raise cases.MovedOnError(
            f"{case.number} has moved on meanwhile, so nothing was approved. Look at it again."
        )


def _chosen(there: list[Invoice], seen: Seen) -> Invoice:
    invoice = next((i for i in there if i.number == seen.number), None)
    if invoice is None:
        raise CaseError(f"Billsby has no invoice {seen.number} for this client.")
    if not invoice.status.blocks or invoice.status is InvoiceStatus.UNKNOWN:
        raise CaseError(
            f"Invoice {seen.number} is {invoice.status_raw} in Billsby now and cannot be written "
            "off. Look at the case again."
        )
    if invoice.amount_minor > seen.amount_minor:
        raise CaseError(
            f"Invoice {seen.number} has grown to {money(invoice.amount_minor, invoice.currency)} "
            "since the page was loaded. Look at it again before you approve."
        )
    return invoice


def _check_owner(billsby: Billsby, case: Case, chosen: list[Invoice]) -> None:
    mine = set(case.scope.values_list("subscription__billsby_id", flat=True))
    staying = {
        found.billsby_id
        for found in billsby.customer_subscriptions(case.client.billsby_id)
        if not found.status.is_stopped and found.billsby_id not in mine
    }
    for invoice in chosen:
        ids = billsby.invoice(invoice.number).subscription_ids
        if invoices.belongs(ids, mine, staying) is invoices.Belongs.STAYS:
            raise CaseError(
                f"Invoice {invoice.number} is for a service that stays. It is not written off in "
                "this case."
            )


def _check_limit(case: Case, by: User, chosen: list[Invoice]) -> None:
    if authority.may(by, Act.WRITE_OFF_ABOVE_LIMIT):
        return
    limit = configuration.whole("AGENT_WRITE_OFF_LIMIT")
    total = invoices.approved_with(case, chosen)
    if total > limit:
        raise NotAllowedError(
            f"{authority.refusal(by, Act.WRITE_OFF_ABOVE_LIMIT)} This case would come to "
            f"{money(total, chosen[0].currency)}; the limit is {money(limit, chosen[0].currency)}."
        )


def release_hold(case: Case, *, by: User, scope: CaseSubscription) -> None:
    """Have the pause lifted for the moment of a person's click; the next charge stays far
    away, and the pause is put back when the time is over. The next pass does it.

    Raises CaseError when there is no hold to release, NotAllowedError.
    """
    authority.require(by, Act.RELEASE_HOLD)
    until = clock.now() + dt.timedelta(minutes=configuration.whole("RELEASE_MINUTES"))
    with transaction.atomic():
        # The case first, as a pass does: locking in another order may lock both up for good.
        cases.changed(case)
        asked = Hold.objects.filter(
            scope=scope, scope__case=case, scope__case__state=State.CLOSING, state=Hold.State.HELD
        ).update(state=Hold.State.RELEASING, release_until=until)
        if not asked:
            raise CaseError("There is no hold to release now. Look at the case again.")
        log.record(Verb.HOLD_RELEASE_ASKED, by=by, case=case, subscription=str(scope.subscription))
        waking.wake(case.pk)


def why_decision_stands(case: Case) -> str:
    """Why a decision cannot be taken back any more; "" when it can. The row on the list is no
    reason: it is taken out again. With `intents` and `scope__subscription` prefetched and `facts`
    selected it asks nothing.
    """
    intents = [i for i in case.intents.all() if i.state != Intent.State.REFUSED]
    done = next((_CANNOT_BE_UNDONE[i.kind] for i in intents if i.kind in _CANNOT_BE_UNDONE), "")
    for scope in case.scope.all():
        # Without facts the case may never close: who was deleted in Billsby has none to take.
        is_cancelled = scope.subscription.status == Subscription.Status.CANCELLED
        if is_cancelled and getattr(case, "facts", None) is not None:
            done = done or f"{scope.subscription} is cancelled in Billsby"
    if not done:
        return ""
    return (
        f"{done}, which cannot be undone, so the decision stands. If the client comes back, let "
        "the case close and start them again in Billsby."
    )


_CANNOT_BE_UNDONE: dict[str, str] = {
    Intent.Kind.WRITE_OFF: "An invoice has been written off, or is being",
    Intent.Kind.CANCEL: "A service has been cancelled, or is being",
    Intent.Kind.CONFIRM: "The client has been told, or is being",
}


def take_back(case: Case, *, by: User, why: str) -> None:
    """Bring a decided case back into retention, as long as nothing was done that cannot be
    undone. A row that was written is taken off the list again by the next passes.

    Raises CaseError when something was written off, the client was told, or the service was
    cancelled and the facts are taken; MovedOnError, NotAllowedError.
    """
    authority.require(by, Act.TAKE_BACK)
    if not why.strip():
        raise CaseError("Say why the decision is taken back.")
    with transaction.atomic():
        cases.changed(case)
        case.refresh_from_db()
        if case.state == State.CLOSING and (stands := why_decision_stands(case)):
            raise CaseError(stands)
        # Nobody has sent it, so it is certain that it is not on the list.
        rows = Intent.objects.filter(case=case, kind=Intent.Kind.ROW)
        rows.filter(state=Intent.State.INTENDED, sent_at=None).delete()
        undo_decision(case)
        WriteOffApproval.objects.filter(case=case).delete()
        log.record(Verb.CASE_TAKEN_BACK, by=by, case=case, why=why.strip())
        waking.wake(case.pk)


def undo_decision(case: Case) -> None:
    """Bring a closing case back into retention; its row is to leave the list. Call it in a
    transaction. Raises MovedOnError.
    """
    cases.move(
        case,
        State.RETENTION,
        only_from=[State.CLOSING],
        decision="",
        decided_by=None,
        decided_at=None,
        open_at_first=_open_at_first(case),
    )
    _have_row_taken_out(case)
    Facts.objects.filter(case=case).delete()
    Step.objects.filter(case=case).delete()


def _open_at_first(case: Case) -> list[str] | None:
    """Which invoices were open at the first look, with those that the facts alone know."""
    facts = Facts.objects.filter(case=case).first()
    if facts is None:
        return case.open_at_first
    known = case.open_at_first or []
    return known + [n for n in facts.evidence.get("open_invoices", []) if n not in known]


def _have_row_taken_out(case: Case) -> None:
    rows = Intent.objects.filter(case=case, kind=Intent.Kind.ROW)
    # Written, or not: only the list can tell.
    unsure = [Intent.State.INTENDED, Intent.State.SENT]
    rows.filter(state__in=unsure).update(state=Intent.State.LEAVING)
    rows.filter(state=Intent.State.CONFIRMED).update(state=Intent.State.UNWANTED)


def take_off_list(case: Case, *, by: User, why: str) -> None:
    """Have the row of a closed case that was a mistake taken off the list. The case stays closed
    and watched, and Billsby is left as it is.

    Raises CaseError when there is no row of it that stands, NotAllowedError.
    """
    authority.require(by, Act.TAKE_OFF_LIST)
    if not why.strip():
        raise CaseError("Say why the row is taken off the list.")
    with transaction.atomic():
        cases.changed(case)
        row = Intent.objects.filter(case=case, kind=Intent.Kind.ROW, case__state=State.CLOSED)
        if not row.filter(state=Intent.State.CONFIRMED).update(state=Intent.State.UNWANTED):
            raise CaseError(_why_not_taken_off(case))
        log.record(Verb.ROW_REMOVAL_ASKED, by=by, case=case, why=why.strip())
        waking.wake(case.pk)


def _why_not_taken_off(case: Case) -> str:
    case.refresh_from_db()
    if case.state == State.CLOSING:
        return f"{case.number} is still closing. Take its decision back instead."
    row = Intent.objects.filter(case=case, kind=Intent.Kind.ROW).first()
    if case.state == State.CLOSED and row is not None and row.is_to_leave:
        return "The row is being taken off the list already."
    if case.state == State.CLOSED and row is not None and row.state == Intent.State.REMOVED:
        return "The row has been taken off the list already."
    return f"The desk has no row of {case.number} on the list. Look at the case again."


def rewrite_row(case: Case, *, by: User) -> None:
    """Have a row written again that a person removed, or that was taken off the list when the
    case was closed. Refused unless the desk itself has read that the row is gone.

    Raises CaseError, also while another case with an equal row is being written; NotAllowedError.
    """
    authority.require(by, Act.REWRITE_ROW)
    with transaction.atomic():
        cases.changed(case)
        row = Intent.objects.filter(case=case, kind=Intent.Kind.ROW)
        taken_off = row.filter(case__state=State.CLOSED, state=Intent.State.REMOVED)
        gone = Step.objects.filter(
            case=case,
            name=Step.Name.DOCUMENT,
            evidence__can_rewrite=True,
            case__state=State.CLOSING,
        )
        if not gone.exists() and not taken_off.exists():
            raise CaseError("The row is not missing. Look at the case again.")
        _intend_again(row)
        gone.update(evidence={})
        log.record(Verb.ROW_REWRITE_ASKED, by=by, case=case)
        waking.wake(case.pk)


def _intend_again(row: QuerySet[Intent]) -> None:
    try:
        with transaction.atomic():
            row.filter(state__in=[Intent.State.CONFIRMED, Intent.State.REMOVED]).update(
                state=Intent.State.INTENDED, confirmed_at=None, answer={}
            )
    except IntegrityError as problem:
        raise CaseError(
            "Another case with the very same row is being written or taken out first. Try again "
            "in a moment."
        ) from problem


def to_approve(case: Case) -> list[dict[str, object]]:
    """What the newest pass found to approve: number, amount_minor, currency, status."""
    step = Step.objects.filter(case=case, name=Step.Name.CLEAR).first()
    return list(step.evidence.get("to_approve", [])) if step else []
