"""Facts: what will be written on the list, taken before anything is written anywhere."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from typing import Any

from dateutil.relativedelta import relativedelta

from canceldesk import clock
from canceldesk.billsby import (
    CreditNote,
    CreditNoteStatus,
    CustomerDetails,
    Invoice,
    InvoiceStatus,
    NotFound,
)
from canceldesk.cases.log import Verb
from canceldesk.cases.models import Case, WaitsFor
from canceldesk.clients import phones
from canceldesk.closing import holds
from canceldesk.closing.models import Facts
from canceldesk.closing.results import Done, Result, Waits
from canceldesk.closing.shown import money
from canceldesk.closing.work import Work
from canceldesk.configuration import services as configuration

AGAIN = dt.timedelta(seconds=10)
COLLECTED = (InvoiceStatus.PAID, InvoiceStatus.PAID_OFFLINE)


def run(work: Work) -> Result:
    """Take the facts once; afterwards only show them."""
    facts = work.facts_if_taken or _take(work)
    if isinstance(facts, Waits):
        return facts
    return Done(_sentence(facts), {"taken_at": facts.taken_at.isoformat(), **facts.evidence})


def _take(work: Work) -> Facts | Waits:
    case = work.case
    try:
        customer = work.billsby.customer(work.client_id)
    except NotFound:
        return _nobody_knows()
    subscriptions = [work.subscription(scope) for scope in work.scope]
    invoices = work.invoices()
    started_at = min((s.started_at for s in subscriptions if s.started_at), default=None)
    started_at = started_at or customer.created_on
    if started_at is None:
        return Waits(
            WaitsFor.PERSON,
            "Billsby gives no start date for this client, so the months cannot be counted. "
            "Look at the subscription in Billsby and ask an admin to report it.",
            again=dt.timedelta(minutes=5),
            attention=True,
        )
    companys = customer.currency or next((s.currency for s in subscriptions if s.currency), "")
    notes = work.billsby.customer_credit_notes(work.client_id)
    sums = collected(invoices, notes)
    currency = currency_of(sums, companys)
    total = sum(sums[one] for one in {currency, ""})
    if total != customer.total_paid_minor and not _reads_the_same_again(work, invoices, notes):
        return Waits(
            WaitsFor.OUTSIDE,
            "Billsby's list of this client's invoices changes while it is read. The desk reads it "
            "again before it counts what was collected.",
            again=AGAIN,
            is_failure=True,
        )
    started_on = started_at.astimezone(work.zone).date()
    cancelled_on = (case.decided_at or clock.now()).astimezone(work.zone).date()
    paid = [i for i in invoices if i.status in COLLECTED and i.currency in {currency, ""}]
    refunds = [note for note in notes if note.currency in {currency, ""}]
    counted = months(work, started_on, cancelled_on, paid, refunds)
    with work.fenced():
        facts = Facts.objects.create(
            case=case,
            name=customer.name or case.client.name,
            phone=phones.shown(customer.phone, configuration.text("PHONE_REGION")),
            cancelled_on=cancelled_on,
            collected_minor=total,
            # Billsby's own total is in the company's currency: another's compares with nothing.
            billsby_total_minor=customer.total_paid_minor if currency == companys else None,
            currency=currency,
            months=counted,
            started_on=started_on,
            reason=reason_of(case),
            plan=", ".join(dict.fromkeys(s.plan_name for s in subscriptions if s.plan_name)),
            next_charge_at=_next_charge(work),
            owed_minor=sum(i.amount_minor for i in invoices if i.status.blocks),
            taken_at=clock.now(),
            evidence=_evidence(customer, invoices, paid, refunds)
            | {"left_out": _left_out(sums, currency)},
        )
        work.log(
            Verb.CLOSING_FACTS,
            collected=money(facts.collected_minor, currency),
            months=facts.months,
        )
    return facts


def _nobody_knows() -> Waits:
    """Of a client who was deleted the desk's copy has a name and dates, but not what they paid: an
    amount that nobody has read goes on no list.
    """
    return Waits(
        WaitsFor.PERSON,
        "Billsby does not know this client any more, so what was collected cannot be read and the "
        "desk writes no row. If they were deleted there, nothing bills any more: write the row "
        "into the workbook by hand, have a manager take the decision back, and withdraw the case. "
        "If not, ask an admin to check the company domain.",
        again=dt.timedelta(minutes=5),
        attention=True,
        is_failure=True,
    )


def _reads_the_same_again(work: Work, invoices: list[Invoice], notes: list[CreditNote]) -> bool:
    """Whether the money of a client, whose sum Billsby itself gives otherwise, is at least listed
    twice in the same way. What is counted now stands on the list for good.
    """
    again = work.billsby.customer_credit_notes(work.client_id)
    return (work.invoices_again(), again) == (invoices, notes)


def collected(invoices: list[Invoice], notes: list[CreditNote]) -> Counter[str]:
    """Paid and paid-offline invoices less refunds, in minor units of each currency.

    A refund under way counts as given back, a failed one does not. What names no currency is in
    whatever the rest is in.
    """
    sums: Counter[str] = Counter()
    for invoice in invoices:
        if invoice.status in COLLECTED:
            sums[invoice.currency] += invoice.amount_minor
    for note in notes:
        if note.status is not CreditNoteStatus.FAILED:
            sums[note.currency] -= abs(note.amount_minor)
    return sums


def currency_of(sums: Counter[str], companys: str) -> str:
    """The currency in which all was collected, else the company's own: amounts in another are left
    out then, because they cannot be added up.
    """
    used = [currency for currency, amount in sums.items() if currency and amount]
    return used[0] if len(used) == 1 else companys


def months(
    work: Work, start: dt.date, end: dt.date, paid: list[Invoice], refunds: list[CreditNote]
) -> int:
    """Months in the program, counted the way the setting MONTHS_COUNTED says."""
    counted = configuration.text("MONTHS_COUNTED")
    if counted == "paid":
        return _renewals(work, paid, refunds)
    if end < start:
        return 0
    passed = relativedelta(end, start)
    whole = passed.years * 12 + passed.months
    return whole + 1 if counted == "started" else whole


def _renewals(work: Work, paid: list[Invoice], refunds: list[CreditNote]) -> int:
    """The paid renewals of what is to be stopped; of several services, of the one that had most."""
    mine = {scope.subscription.billsby_id for scope in work.scope}
    counted: Counter[str] = Counter()
    for invoice in _kept(paid, refunds):
        counted.update(mine.intersection(work.named_by(invoice)))
    return max(counted.values(), default=0)


def _kept(paid: list[Invoice], refunds: list[CreditNote]) -> Iterator[Invoice]:
    """The invoices that were not given back whole. Of which invoice a refund is Billsby does not
    say; but of those nothing can be refunded any more, and the refunds are as high.
    """
    given_back = -collected([], refunds).total()
    for invoice in paid:
        is_used_up = invoice.status is InvoiceStatus.PAID and invoice.refundable_minor == 0
        if is_used_up and invoice.amount_minor <= given_back:
            given_back -= invoice.amount_minor
        elif invoice.amount_minor > 0:
            yield invoice


def reason_of(case: Case) -> str:
    """The reason as it goes on the list: the label, and the client's words where there are."""
    words = " ".join(case.reason_words.split())
    return f"{case.reason.label}: {words}" if words else case.reason.label


def _next_charge(work: Work) -> dt.datetime | None:
    """The next charge as it was before any hold moved it."""
    dates = []
    for scope in work.scope:
        subscription = work.subscription(scope)
        hold = holds.hold_of(scope) or holds.earlier_hold(scope, subscription)
        at = hold.original_next_billing_at if hold else subscription.next_billing_at
        if at is not None and not subscription.status.is_stopped:
            dates.append(at)
    return min(dates, default=None)


def _evidence(
    customer: CustomerDetails,
    invoices: list[Invoice],
    paid: list[Invoice],
    refunds: list[CreditNote],
) -> dict[str, Any]:
    return {
        "invoices_counted": [
            {"number": i.number, "amount_minor": i.amount_minor, "status": i.status_raw}
            for i in paid
        ],
        "open_invoices": [i.number for i in invoices if i.status.blocks],
        "refunds": [{"amount_minor": n.amount_minor, "status": n.status_raw} for n in refunds],
        "billsby_total_minor": customer.total_paid_minor,
    }


def _left_out(sums: Counter[str], currency: str) -> list[dict[str, Any]]:
    return [
        {"amount_minor": amount, "currency": other}
        for other, amount in sorted(sums.items())
        if amount and other not in {currency, ""}
    ]


def _sentence(facts: Facts) -> str:
    said = (
        f"{money(facts.collected_minor, facts.currency)} collected in {facts.months} "
        f"{'month' if facts.months == 1 else 'months'}."
    )
    left_out = [money(o["amount_minor"], o["currency"]) for o in facts.evidence.get("left_out", [])]
    if left_out:
        said += (
            f" The client also paid {' and '.join(left_out)}, which is left out of the list, "
            "because different currencies cannot be added up."
        )
    total = facts.billsby_total_minor
    if total is None:
        said += " Billsby gives no total of its own to compare with."
    elif total != facts.collected_minor:
        said += f" Billsby's own total says {money(total, facts.currency)}."
    return said
