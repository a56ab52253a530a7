"""Clear: invoices that block the stop are written off, each once, each with authority.

A write-off zeroes the invoice (billsby.md 2.2), so its amount is recorded before. Whether a
repeated write-off is accepted is undocumented, so one is only repeated after Billsby has been
read again and still shows the invoice open; once it has been read back as done, only by somebody's
new word. Two cases of a client that both may write an invoice off take turns.
"""

from __future__ import annotations

import datetime as dt
from functools import partial

from canceldesk.billsby import Invoice, InvoiceStatus
from canceldesk.billsby.errors import Blocked, NotFound, Refused
from canceldesk.cases.log import Verb
from canceldesk.cases.models import Case, WaitsFor
from canceldesk.closing import invoices
from canceldesk.closing.invoices import Belongs, Blocking
from canceldesk.closing.models import Intent, WriteOffApproval
from canceldesk.closing.results import Done, NotNeeded, Result, Waits
from canceldesk.closing.shown import money
from canceldesk.closing.work import Work
from canceldesk.configuration import services as configuration

# Billsby takes pending invoices in batches every five minutes (billsby.md 2.1).
BATCH = dt.timedelta(seconds=60)


def run(work: Work) -> Result:
    """Write off what is approved; say what is not, or that nothing blocks any more."""
    _adopt_what_is_done(work)
    found = invoices.blocking(work)
    if any(_is_approved(work, block) for block in found):
        # The facts may have read them before the row waited for its turn at the workbook, and
        # whose they are was asked since.
        work.invoices_again()
    for number in [block.invoice.number for block in found]:
        found = invoices.still_blocking(work, found)
        waits = _unknown_status(found) or _write_off_if_approved(work, found, number)
        if waits is not None:
            return waits
    _adopt_what_is_done(work)  # by whomever it was done meanwhile
    found = invoices.still_blocking(work, found)
    if (waits := _unknown_status(found)) is not None:
        return waits
    if missing := invoices.needs_approval(work.case, found):
        return _ask(work, missing)
    return _cleared(work, found)


def _is_approved(work: Work, block: Blocking) -> bool:
    stays = block.belongs is Belongs.STAYS
    return not stays and invoices.approval_for(work.case, block.invoice) is not None


def _adopt_what_is_done(work: Work) -> None:
    """Note write-offs that happened although their answer never came, or was a no, and that
    approvals of what is written off, by whomever, are used up.
    """
    done = {i.number: i for i in work.invoices() if i.status is InvoiceStatus.WRITTEN_OFF}
    for intent in work.intents(Intent.Kind.WRITE_OFF):
        if intent.state != Intent.State.CONFIRMED and intent.target in done:
            # What was refused another has done: a person by hand, or an earlier try that came late.
            refused = intent.state == Intent.State.REFUSED
            verb = Verb.WRITE_OFF_FOUND if refused else Verb.WRITE_OFF_DONE
            _confirm(work, intent, done[intent.target], verb)
    for number in sorted(invoices.approved_still(work.case) & done.keys() if done else ()):
        work.notes.along(partial(invoices.use_up, work.case, number))


class _NotNowError(Exception):
    """Another case of the client, which the text names, has just sent the same write-off, or has
    had it done.
    """


def _write_off_if_approved(work: Work, found: list[Blocking], number: str) -> Waits | None:
    """What to wait for; None when the invoice is written off, when it takes a new approval, or when
    it is not among those that block now, or of a service that stays.
    """
    block = next((block for block in found if block.invoice.number == number), None)
    if block is None or block.belongs is Belongs.STAYS:
        return None
    intent = work.intent(Intent.Kind.WRITE_OFF, number)
    if intent is not None and intent.may_not_show_yet:
        return _not_shown_yet(number)
    if approval := invoices.approval_for(work.case, block.invoice):
        return _write_off(work, block.invoice, approval)
    if block.belongs is Belongs.IN_SCOPE and (
        other := invoices.just_written_off_by(work.case, number)
    ):
        return _not_shown_yet(number, other.number)
    return None


def _write_off(work: Work, invoice: Invoice, approval: WriteOffApproval) -> Waits | None:
    intent = work.intent_to(Intent.Kind.WRITE_OFF, invoice.number)
    try:
        with work.sending(partial(_note_that_it_leaves, work, intent, invoice, approval)):
            work.billsby.write_off(invoice.number)
    except _NotNowError as first:
        return _not_shown_yet(invoice.number, str(first))
    except (Refused, Blocked, NotFound) as problem:
        return _refused(work, intent, str(problem))
    return _read_back(work, intent)


def _not_shown_yet(number: str, whose: str = "") -> Waits:
    """`whose` is the case that has written it off, where it is not this one."""
    return Waits(
        WaitsFor.OUTSIDE,
        f"Invoice {number} was written off{f' for {whose}' if whose else ''}, but Billsby does "
        "not show it yet. The desk looks again by itself.",
        again=dt.timedelta(seconds=10),
        is_unknown=True,
    )


def _note_that_it_leaves(
    work: Work, intent: Intent, invoice: Invoice, approval: WriteOffApproval
) -> None:
    """Write down what is about to be written off and by whose word; afresh when the invoice or
    the approval has changed since an earlier try. What was read until then holds no longer.

    Raises _NotNowError.
    """
    # In this order: once it has waited for the others, what they have noted is seen.
    if not invoices.is_in_force(approval, work.case, invoice):
        raise _NotNowError("another case of the client")
    if other := invoices.just_written_off_by(work.case, invoice.number):
        raise _NotNowError(other.number)
    request = {
        "amount_minor": invoice.amount_minor,
        "currency": invoice.currency,
        "status": invoice.status_raw,
        "approved_by": approval.by_id,
        "approved_at": approval.at.isoformat(),
    }
    if intent.request != request:
        intent.request = request
        work.log(
            Verb.WRITE_OFF_INTENDED,
            invoice=invoice.number,
            amount=money(invoice.amount_minor, invoice.currency),
        )
    work.mark_sent(intent)
    work.forget()


def _refused(work: Work, intent: Intent, why: str) -> Waits | None:
    """What to wait for; None when the invoice has become another matter in the last moment: it was
    paid or written off, say, or has grown.
    """
    with work.fenced():
        intent.mark_refused(why)
        work.log(Verb.WRITE_OFF_FAILED, invoice=intent.target, why=why)
    invoice = _as_read_last(work, intent.target)
    if invoice is None or not _may_be_written_off(work.case, invoice):
        return None
    if invoice.status is InvoiceStatus.PENDING:
        return Waits(
            WaitsFor.OUTSIDE,
            f"Invoice {invoice.number} is pending: Billsby is just taking the money and does "
            "not let it be written off. The desk tries again after Billsby's next batch.",
            again=BATCH,
        )
    return Waits(
        WaitsFor.PERSON,
        f"Billsby refused to write off invoice {invoice.number}: {why} Write it off in Billsby "
        "(Invoices & credit notes → Invoices → Update status); the desk goes on by itself.",
        again=dt.timedelta(minutes=1),
        attention=True,
    )


def _as_read_last(work: Work, number: str) -> Invoice | None:
    return next((invoice for invoice in work.invoices() if invoice.number == number), None)


def _may_be_written_off(case: Case, invoice: Invoice) -> bool:
    is_open = invoice.status.blocks and invoice.status is not InvoiceStatus.UNKNOWN
    return is_open and invoices.approval_for(case, invoice) is not None


def _read_back(work: Work, intent: Intent) -> Waits | None:
    invoice = _as_read_last(work, intent.target)
    if invoice is None or invoice.status is not InvoiceStatus.WRITTEN_OFF:
        shown = invoice.status_raw if invoice else "missing"
        return Waits(
            WaitsFor.OUTSIDE,
            f"The desk wrote off invoice {intent.target}, but Billsby shows it as {shown}. It "
            "looks again by itself.",
            again=dt.timedelta(seconds=10),
            is_unknown=True,
        )
    _confirm(work, intent, invoice, Verb.WRITE_OFF_DONE)
    return None


def _confirm(work: Work, intent: Intent, invoice: Invoice, verb: Verb) -> None:
    request = intent.request
    # The account's dunning setting may change the subscription when an invoice is written off
    # (billsby.md 2.2), so what it is now belongs to the evidence.
    statuses = {
        scope.subscription.billsby_id: work.subscription(scope).status_raw for scope in work.scope
    }
    work.confirm(intent, {"status": invoice.status_raw, "subscriptions_after": statuses})
    work.notes.along(partial(invoices.use_up, work.case, invoice.number))
    amount = money(request["amount_minor"], request["currency"])
    said = {"invoice": invoice.number, "amount": amount, "subscriptions_after": statuses}
    work.notes.along(partial(work.log, verb, **said))


def _unknown_status(found: list[Blocking]) -> Waits | None:
    """What to wait for where one of them is in a status that the desk does not know."""
    unknown = [block.invoice for block in found if block.invoice.status is InvoiceStatus.UNKNOWN]
    if not unknown:
        return None
    invoice = unknown[0]
    return Waits(
        WaitsFor.PERSON,
        f'Billsby shows invoice {invoice.number} as "{invoice.status_raw}", which the desk does '
        "not know, so it changes nothing. Look at the invoice in Billsby.",
        again=dt.timedelta(minutes=1),
        attention=True,
        is_unknown=True,
    )


def _ask(work: Work, missing: list[Blocking]) -> Waits:
    total = sum(block.invoice.amount_minor for block in missing)
    currency = missing[0].invoice.currency
    limit = configuration.whole("AGENT_WRITE_OFF_LIMIT")
    above = invoices.approved_with(work.case, [block.invoice for block in missing]) > limit
    count = "An invoice" if len(missing) == 1 else f"{len(missing)} invoices"
    who = "A manager must" if above else "Somebody must"
    return Waits(
        WaitsFor.PERSON,
        f"{count} of {money(total, currency)} in all {'blocks' if len(missing) == 1 else 'block'}"
        f" the stop. {who} approve writing {'it' if len(missing) == 1 else 'them'} off.",
        again=dt.timedelta(seconds=configuration.whole("POLL_SECONDS")),
        evidence={
            "to_approve": [_shown(block) for block in missing],
            "total_minor": total,
            "currency": currency,
            "manager_needed": above,
        },
    )


def _shown(block: Blocking) -> dict[str, object]:
    """An invoice as the page shows it to the person who may approve."""
    return {
        "number": block.invoice.number,
        "amount_minor": block.invoice.amount_minor,
        "currency": block.invoice.currency,
        "status": block.invoice.status_raw,
    }


def _cleared(work: Work, left: list[Blocking]) -> Result:
    open_still = {block.invoice.number for block in left}
    done = [
        intent
        for intent in work.intents(Intent.Kind.WRITE_OFF)
        if intent.state == Intent.State.CONFIRMED and intent.target not in open_still
    ]
    evidence = {
        "written_off": [{"number": intent.target, **intent.request} for intent in done],
        "left": [{"number": b.invoice.number, "belongs": b.belongs.value} for b in left],
        "may_approve": [_shown(b) for b in left if b.belongs is Belongs.UNCLEAR],
    }
    kept = (
        f" {len(left)} open {'invoice' if len(left) == 1 else 'invoices'} left alone: not "
        "surely of the service that stops."
        if left
        else ""
    )
    if not done:
        return NotNeeded(f"No invoice blocks the stop.{kept}", evidence)
    total = sum(intent.request["amount_minor"] for intent in done)
    currency = done[0].request["currency"]
    return Done(
        f"{money(total, currency)} written off ({', '.join(i.target for i in done)}), read "
        f"back.{kept}",
        evidence,
    )
