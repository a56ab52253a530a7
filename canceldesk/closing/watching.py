"""The watch: after closing, that nothing was charged, nothing switched back on, and the row
still stands; after a save, that the client really stayed.
"""

from __future__ import annotations

import datetime as dt
from functools import partial

from dateutil.relativedelta import relativedelta
from django.db.models import QuerySet

from canceldesk import clock
from canceldesk.billsby import InvoiceStatus, SubscriptionStatus
from canceldesk.cases import findings
from canceldesk.cases.log import Verb
from canceldesk.cases.models import CaseSubscription, Finding, WaitsFor
from canceldesk.closing import holding, holds, listing, taking_out, trouble
from canceldesk.closing.charges import check_charges, invoices_since_the_request
from canceldesk.closing.models import Facts, Hold, Intent, Watch
from canceldesk.closing.results import Done, NotNeeded, Result, Waits, all_of
from canceldesk.closing.shown import date, money
from canceldesk.closing.steps import document
from canceldesk.closing.steps.stop import is_stopped
from canceldesk.closing.work import Work
from canceldesk.configuration import services as configuration
from canceldesk.workbook.errors import ListError
from canceldesk.workbook.protocol import ListedRow

EVERY = dt.timedelta(hours=12)
# A charge shows within Billsby's five-minute batches (billsby.md 2.1); an hour is plenty.
AFTER_A_BILLING_DATE = dt.timedelta(hours=1)
LAST_LOOK = dt.timedelta(days=2)
# No calendar goes beyond the year 9999, which some write for "never". A few days are left for what
# is added to a date, and for time zones.
LAST_DATE = dt.datetime.max.replace(tzinfo=dt.UTC) - dt.timedelta(days=4)
ROW_NOT_SEEN = dt.timedelta(hours=1)
FOUND_HERE = (
    Finding.Kind.SWITCHED_BACK_ON,
    Finding.Kind.CHARGED_AFTER_REQUEST,
    Finding.Kind.OPEN_INVOICE,
    Finding.Kind.ROW_TWICE,
    Finding.Kind.ROW_CHANGED,
)
# A save counts when the client is still there after this long (field.md A4).
SAVE_COUNTS_AFTER = dt.timedelta(days=30)


def start(work: Work) -> None:
    """Begin the watch of a closed case through the billing dates that would have come, unless it
    has one. Call it inside the fence.
    """
    if getattr(work.case, "watch", None) is not None:
        return
    facts = work.facts
    now = clock.now()
    count = configuration.whole("WATCH_BILLING_DATES")
    dates = billing_dates(facts.next_charge_at or now, now, count)
    forever = configuration.text("STOP_BY") == "pause" and work.case.decision == "suspend"
    Watch.objects.create(
        case=work.case,
        started_at=now,
        billing_dates=[day.isoformat() for day in dates],
        ends_at=None if forever else dates[-1] + LAST_LOOK,
    )


def billing_dates(first: dt.datetime, now: dt.datetime, count: int) -> list[dt.datetime]:
    """The next `count` monthly billing dates from `now` on, had nobody stopped the service; fewer
    where the calendar ends.
    """
    dates: list[dt.datetime] = []
    month = 0
    while len(dates) < count and LAST_DATE not in dates:
        day = _months_after(first, month)
        if day > now:
            dates.append(day)
        month += 1
    return dates


def _months_after(first: dt.datetime, months: int) -> dt.datetime:
    try:
        return min(first + relativedelta(months=months), LAST_DATE)
    except (ValueError, OverflowError):
        return LAST_DATE


def after_closing(work: Work) -> Result:
    """One look at a closed case; afterwards says when to look again, or that it is over."""
    work.forget()
    return first_look(work)


def first_look(work: Work) -> Result:
    """The look of the pass that has closed the case: both halves have just been read afresh."""
    watch = work.case.watch
    row = trouble.caught(lambda: _move_row(work), work.case)
    if watch.result != Watch.Result.WATCHING:
        return row if isinstance(row, Waits) else NotNeeded("The watch is over.")
    looks = [
        trouble.each(work, _check_subscription),
        trouble.caught(lambda: _check_invoices(work), work.case),
        row if isinstance(row, Waits) else _check_row(work),
    ]
    waits = [look for look in looks if isinstance(look, Waits)]
    if waits:
        return all_of([_watching(work, watch), *waits])
    return _looked(work, watch)


def _check_subscription(work: Work, scope: CaseSubscription) -> Result:
    subscription = work.subscription(scope)
    key = f"{work.case.number} {subscription.billsby_id}"
    if is_stopped(work, scope, subscription):
        work.resolve(Finding.Kind.SWITCHED_BACK_ON, key)
        return _keep_held(work, scope)
    work.report(
        Finding.Kind.SWITCHED_BACK_ON,
        key,
        f"{scope.subscription} was stopped, but Billsby says {subscription.status_raw} and "
        f"charges next on {date(subscription.next_billing_at, work.zone)}. Find out who switched "
        "it on; unless the client has come back, stop it again in Billsby. If they have, a manager "
        "settles it on the case's page.",
    )
    return Done(f"{scope.subscription} was switched back on.")


def _keep_held(work: Work, scope: CaseSubscription) -> Result:
    """Renew a hold that is the stop before it runs out, whatever the settings say by now.

    A date or status that a person changed is reported, never fought: they may know why.
    """
    hold = holds.hold_of(scope)
    if hold is not None and hold.state == Hold.State.HELD and holds.runs_out(work.today, hold):
        return holding.ensure(work, scope)
    return NotNeeded(f"{scope.subscription} is stopped.")


def _check_invoices(work: Work) -> Result:
    check_charges(work)
    for invoice in invoices_since_the_request(work):
        asks = invoice.status.blocks and invoice.status is not InvoiceStatus.PENDING
        if asks:
            work.report(
                Finding.Kind.OPEN_INVOICE,
                invoice.number,
                f"Invoice {invoice.number} of {money(invoice.amount_minor, invoice.currency)} "
                "asks for money although the service is stopped. Write it off in Billsby.",
            )
        else:
            work.resolve(Finding.Kind.OPEN_INVOICE, invoice.number)
    return Done("The invoices were looked at.")


def _move_row(work: Work) -> Result:
    """What a manager asked of the row of a closed case: that it leaves the list, or comes back."""
    intent = work.row_intent
    if intent is None or intent.state in {Intent.State.CONFIRMED, Intent.State.REMOVED}:
        return NotNeeded("The row stays as it is.")
    return taking_out.run(work) if intent.is_to_leave else document.run(work)


def _check_row(work: Work) -> Result:
    facts = work.facts
    row = listing.row_for(facts)
    key = work.case.number
    try:
        view = work.the_list.read()
    except ListError as problem:
        # Not seen is neither wrong nor right: the watch cannot end on it.
        return Waits(WaitsFor.OUTSIDE, problem.sentence, again=ROW_NOT_SEEN)
    found = listing.mine(view, work.case, row)
    if work.row_intent is not None and work.row_intent.state == Intent.State.REMOVED:
        _check_that_it_is_off(work, facts, found)
        return Done("The list was looked at.")
    if len(found) > 1:
        work.report(
            Finding.Kind.ROW_TWICE,
            key,
            f"{facts.name} is on the list {len(found)} times. Delete all but one row.",
        )
    else:
        work.resolve(Finding.Kind.ROW_TWICE, key)
    if found and not listing.differences(found[0], row):
        work.resolve(Finding.Kind.ROW_CHANGED, key)
    else:
        work.report(
            Finding.Kind.ROW_CHANGED,
            key,
            listing.changed_or_removed(facts),
        )
    return Done("The row was looked at.")


def _check_that_it_is_off(work: Work, facts: Facts, found: list[ListedRow]) -> None:
    key = work.case.number
    work.resolve(Finding.Kind.ROW_TWICE, key)
    if not found:
        work.resolve(Finding.Kind.ROW_CHANGED, key)
        return
    work.report(
        Finding.Kind.ROW_CHANGED,
        key,
        f"The row of {facts.name} was taken off the list, but it is there again. Delete it in the "
        "workbook, or have the case's row put back if it belongs there.",
    )


def _looked(work: Work, watch: Watch) -> Result:
    """Note a look that saw everything, and whether the watch is over with it.

    It goes on after its end date as long as something it found still stands. Of a client who has
    been deleted nothing more can come or be put right, so there the date alone ends it. Who has
    come back is charged with right: there it ends once nothing stands.
    """
    now = clock.now()
    is_gone = _is_gone(work)
    is_time = is_gone if watch.ends_at is None else now >= watch.ends_at
    is_time = is_time or _has_come_back(work)
    is_over = is_time and (is_gone or not _standing(work).filter(kind__in=FOUND_HERE).exists())
    if is_over:
        clean = not work.case.findings.exists()
        watch.result = Watch.Result.CLEAN if clean else Watch.Result.WRONG
    _note(work, watch, is_gone=is_gone)
    return NotNeeded("The watch is over.") if is_over else _watching(work, watch, is_gone=is_gone)


def _note(work: Work, watch: Watch, **seen: bool) -> None:
    """Note a look, and the end of the watch if it came to a result."""
    watch.checked_at, watch.checks = clock.now(), watch.checks + 1
    if watch.result != Watch.Result.WATCHING:
        result = watch.get_result_display()
        work.notes.along(partial(work.log, Verb.WATCH_ENDED, result=result, **seen))
    work.notes.along(watch.save)


def _is_gone(work: Work) -> bool:
    """Whether the client was deleted in Billsby together with what this case stopped."""
    stopped = (work.subscription(scope).status for scope in work.scope)
    return all(status is SubscriptionStatus.CANCELLED for status in stopped) and work.is_gone


def _has_come_back(work: Work) -> bool:
    """Whether all that this case stopped runs again, and a manager has said that it may."""
    if all(kind != Finding.Kind.SWITCHED_BACK_ON for kind, _ in work.found_before):
        return False
    running = work.case.findings.filter(kind=Finding.Kind.SWITCHED_BACK_ON, resolved_at=None)
    return running.exclude(settled_at=None).count() == len(work.scope)


def _standing(work: Work) -> QuerySet[Finding]:
    return findings.standing().filter(case=work.case)


def _watching(work: Work, watch: Watch, *, is_gone: bool = False) -> Waits:
    now = clock.now()
    standing = _standing(work).count()
    if watch.ends_at is None:
        end = "as long as it is paused"
    elif now < watch.ends_at:
        end = f"until {date(watch.ends_at, work.zone)}"
    else:
        end = "until everything has been seen and nothing is wrong any more"
    wrong = f" {standing} thing{'s' if standing != 1 else ''} found wrong." if standing else ""
    gone = " The client has been deleted in Billsby." if is_gone else ""
    return Waits(
        WaitsFor.TIME,
        f"Closed. The desk watches {end} that nothing is charged.{wrong}{gone}",
        again=_next_look(watch, now) - now,
    )


def _next_look(watch: Watch, now: dt.datetime) -> dt.datetime:
    looks = [dt.datetime.fromisoformat(day) + AFTER_A_BILLING_DATE for day in watch.billing_dates]
    if watch.ends_at is not None:
        looks.append(watch.ends_at)
    return min([now + EVERY, *(look for look in looks if look > now)])


def after_a_save(work: Work) -> Result:
    """A retained client counts as kept only when still there thirty days later; what was charged
    while they waited for the decision is looked at as long.
    """
    now = clock.now()
    watch = _watch_of_a_save(work, now)
    if watch.result != Watch.Result.WATCHING or watch.ends_at is None:
        return NotNeeded("The watch is over.")
    check_charges(work)
    lost = [s for s in work.scope if work.subscription(s).status.is_stopped]
    if lost:
        work.report(
            Finding.Kind.SAVE_LOST,
            work.case.number,
            f"{work.case.client} was retained but {lost[0].subscription} is stopped in Billsby "
            "now. It does not count as saved.",
        )
    if lost or now >= watch.ends_at:
        watch.result = Watch.Result.WRONG if lost else Watch.Result.CLEAN
    _note(work, watch)
    if watch.result != Watch.Result.WATCHING:
        return NotNeeded("The watch is over.")
    return Waits(
        WaitsFor.TIME,
        f"Retained. It counts as saved if the client is still there on "
        f"{date(watch.ends_at, work.zone)}.",
        again=min(EVERY, watch.ends_at - now),
    )


def _watch_of_a_save(work: Work, now: dt.datetime) -> Watch:
    begun: Watch | None = getattr(work.case, "watch", None)
    if begun is not None:
        return begun
    with work.fenced():
        return Watch.objects.create(case=work.case, started_at=now, ends_at=now + SAVE_COUNTS_AFTER)
