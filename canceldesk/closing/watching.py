"""The watch: after closing, that nothing was charged, nothing switched back on, and the row
still stands; after a save, that the client really stayed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from dateutil.relativedelta import relativedelta

from canceldesk import clock
from canceldesk.billsby import Invoice, InvoiceStatus
from canceldesk.cases import findings, log
from canceldesk.cases.log import Verb
from canceldesk.cases.models import Finding, WaitsFor
from canceldesk.closing import holding, listing
from canceldesk.closing.models import Facts, Hold, Watch
from canceldesk.closing.results import NotNeeded, Result, Waits
from canceldesk.closing.shown import date, money
from canceldesk.closing.steps.stop import is_stopped
from canceldesk.closing.work import Work
from canceldesk.configuration import services as configuration
from canceldesk.workbook.errors import ListError

EVERY = dt.timedelta(hours=12)
# A charge shows within Billsby's five-minute batches (billsby.md 2.1); an hour is plenty.
AFTER_A_BILLING_DATE = dt.timedelta(hours=1)
LAST_LOOK = dt.timedelta(days=2)
# A save counts when the client is still there after this long (field.md A4).
SAVE_COUNTS_AFTER = dt.timedelta(days=30)


def start(work: Work) -> Watch:
    """Begin the watch of a closed case through the billing dates that would have come."""
    facts = Facts.objects.get(case=work.case)
    now = clock.now()
    count = configuration.whole("WATCH_BILLING_DATES")
    dates = billing_dates(facts.next_charge_at or now, now, count)
    forever = configuration.text("STOP_BY") == "pause" and work.case.decision == "suspend"
    watch, _ = Watch.objects.get_or_create(
        case=work.case,
        defaults={
            "started_at": now,
            "billing_dates": [day.isoformat() for day in dates],
            "ends_at": None if forever else dates[-1] + LAST_LOOK,
        },
    )
    return watch


def billing_dates(first: dt.datetime, now: dt.datetime, count: int) -> list[dt.datetime]:
    """The next `count` monthly billing dates from `now` on, had nobody stopped the service."""
    dates: list[dt.datetime] = []
    month = 0
    while len(dates) < count:
        day = first + relativedelta(months=month)
        if day > now:
            dates.append(day)
        month += 1
    return dates


def after_closing(work: Work) -> Result:
    """One look at a closed case; afterwards says when to look again, or that it is over."""
    watch = Watch.objects.get(case=work.case)
    if watch.result != Watch.Result.WATCHING:
        return NotNeeded("The watch is over.")
    work.forget()
    _check_subscriptions(work)
    _check_invoices(work)
    _check_row(work)
    return _checked(work, watch)


def _check_subscriptions(work: Work) -> None:
    for scope in work.scope:
        hold = holding.hold_of(scope)
        if configuration.text("STOP_BY") == "pause" and hold and hold.state == Hold.State.HELD:
            holding.ensure(work, scope)
        subscription = work.subscription(scope)
        key = f"{work.case.number} {subscription.billsby_id}"
        if is_stopped(work, scope, subscription):
            findings.resolve(Finding.Kind.SWITCHED_BACK_ON, key)
            continue
        findings.report(
            Finding.Kind.SWITCHED_BACK_ON,
            key,
            f"{scope.subscription} was stopped, but Billsby says {subscription.status_raw} and "
            f"charges next on {date(subscription.next_billing_at, work.zone)}. Set it to "
            "Suspended again in Billsby and find out who switched it on.",
            case=work.case,
        )


def _check_invoices(work: Work) -> None:
    for invoice in invoices_since_the_request(work):
        key = invoice.number
        if invoice.status in {InvoiceStatus.PAID, InvoiceStatus.PENDING}:
            findings.report(
                Finding.Kind.CHARGED_AFTER_REQUEST,
                key,
                f"Invoice {key} of {money(invoice.amount_minor, invoice.currency)} was charged "
                f"on {date(invoice.issued_at, work.zone)}, after the client asked to stop. "
                "Refund it in Billsby and tell the client.",
                case=work.case,
                amount_minor=invoice.amount_minor,
                currency=invoice.currency,
            )
        elif invoice.status.blocks:
            findings.report(
                Finding.Kind.OPEN_INVOICE,
                key,
                f"Invoice {key} of {money(invoice.amount_minor, invoice.currency)} asks for "
                "money although the service is stopped. Write it off in Billsby.",
                case=work.case,
            )
        else:
            findings.resolve(Finding.Kind.OPEN_INVOICE, key)


def invoices_since_the_request(work: Work) -> Iterable[Invoice]:
    """Invoices issued after the client asked, for what this case was to stop."""
    mine = {scope.subscription.billsby_id for scope in work.scope}
    staying = bool(work.staying())
    for invoice in work.invoices():
        if invoice.issued_at is None or invoice.issued_at <= work.case.received_at:
            continue
        if staying and not mine & set(work.billsby.invoice(invoice.number).subscription_ids):
            continue
        yield invoice


def _check_row(work: Work) -> None:
    facts = Facts.objects.get(case=work.case)
    row = listing.row_for(facts)
    key = work.case.number
    try:
        view = work.the_list.read()
    except ListError:
        return  # Not seen is not wrong; the next look will see.
    found = listing.mine(view, work.case, row)
    if len(found) > 1:
        findings.report(
            Finding.Kind.ROW_TWICE,
            key,
            f"{facts.name} is on the list {len(found)} times. Delete all but one row.",
            case=work.case,
        )
    else:
        findings.resolve(Finding.Kind.ROW_TWICE, key)
    if found and not listing.differences(found[0], row):
        findings.resolve(Finding.Kind.ROW_CHANGED, key)
    else:
        findings.report(
            Finding.Kind.ROW_CHANGED,
            key,
            f"The row of {facts.name} on the list has been changed or removed since it was "
            "written. Put it back as the case shows it.",
            case=work.case,
        )


def _checked(work: Work, watch: Watch) -> Result:
    now = clock.now()
    standing = work.case.findings.filter(resolved_at=None).count()
    is_over = watch.ends_at is not None and now >= watch.ends_at
    with work.fenced():
        watch.checked_at, watch.checks = now, watch.checks + 1
        if is_over:
            clean = not work.case.findings.exists()
            watch.result = Watch.Result.CLEAN if clean else Watch.Result.WRONG
            log.record(Verb.WATCH_ENDED, case=work.case, result=watch.get_result_display())
        watch.save()
    if is_over:
        return NotNeeded("The watch is over.")
    end = f"until {date(watch.ends_at, work.zone)}" if watch.ends_at else "as long as it is paused"
    trouble = f" {standing} thing{'s' if standing != 1 else ''} found wrong." if standing else ""
    return Waits(
        WaitsFor.TIME,
        f"Closed. The desk watches {end} that nothing is charged.{trouble}",
        again=_next_look(watch, now) - now,
    )


def _next_look(watch: Watch, now: dt.datetime) -> dt.datetime:
    looks = [dt.datetime.fromisoformat(day) + AFTER_A_BILLING_DATE for day in watch.billing_dates]
    if watch.ends_at is not None:
        looks.append(watch.ends_at)
    return min([now + EVERY, *(look for look in looks if look > now)])


def after_a_save(work: Work) -> Result:
    """A retained client counts as kept only when still there thirty days later."""
    now = clock.now()
    watch, _ = Watch.objects.get_or_create(
        case=work.case,
        defaults={"started_at": now, "ends_at": now + SAVE_COUNTS_AFTER},
    )
    if watch.result != Watch.Result.WATCHING or watch.ends_at is None:
        return NotNeeded("The watch is over.")
    lost = [s for s in work.scope if work.subscription(s).status.is_stopped]
    if lost:
        findings.report(
            Finding.Kind.SAVE_LOST,
            work.case.number,
            f"{work.case.client} was retained but {lost[0].subscription} is stopped in Billsby "
            "now. It does not count as saved.",
            case=work.case,
        )
    with work.fenced():
        watch.checked_at, watch.checks = now, watch.checks + 1
        if lost or now >= watch.ends_at:
            watch.result = Watch.Result.WRONG if lost else Watch.Result.CLEAN
            log.record(Verb.WATCH_ENDED, case=work.case, result=watch.get_result_display())
        watch.save()
    if watch.result != Watch.Result.WATCHING:
        return NotNeeded("The watch is over.")
    return Waits(
        WaitsFor.TIME,
        f"Retained. It counts as saved if the client is still there on "
        f"{date(watch.ends_at, work.zone)}.",
        again=min(EVERY, watch.ends_at - now),
    )
