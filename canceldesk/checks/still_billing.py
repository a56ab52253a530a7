"""Clients on the list whose service still bills."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field

from canceldesk.billsby import Billsby, NotFound, SubscriptionStatus
from canceldesk.billsby import Subscription as BillsbySubscription
from canceldesk.cases.models import OPEN_STATES, Case, CaseSubscription, Finding, State
from canceldesk.checks.book import Book, Wrong
from canceldesk.checks.under_watch import under_watch
from canceldesk.clients import mirror
from canceldesk.clients.models import Client, Subscription
from canceldesk.closing.models import Intent
from canceldesk.closing.shown import date
from canceldesk.configuration import services as configuration
from canceldesk.workbook.protocol import ListedRow


@dataclass
class Billing:
    """What was found; `unclear` counts clients of whom one service is stopped and another not.
    `skipped` holds the Billsby IDs of subscriptions of which nothing could be said this time.
    """

    wrong: list[Wrong] = field(default_factory=list)
    unclear: int = 0
    skipped: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class _Line:
    row: ListedRow
    on: dt.date
    case: Case | None


def find(book: Book, billsby: Billsby) -> Billing:
    """Look at the newest line of each service; what the copy says still bills is read in Billsby
    before it is called wrong. Raises BillsbyError.
    """
    lines = _lines(book)
    handled = _handled()
    watched = set(under_watch().values_list("pk", flat=True))
    found = Billing()
    for pk, services in _services(lines).items():
        newest = {one: line for one in services if (line := _newest(lines[pk], one, handled))}
        suspects = [one for one, line in newest.items() if _is_suspect(one, line, handled)]
        is_unclear = any(one.is_stopped and line.case is None for one, line in newest.items())
        by_hand = {one for one in suspects if newest[one].case is None}
        found.unclear += bool(is_unclear and by_hand)
        for one in suspects:
            line = newest[one]
            if (is_unclear and one in by_hand) or (line.case and line.case.pk in watched):
                found.skipped.add(one.billsby_id)
            elif wrong := _confirmed(one, line, billsby):
                found.wrong.append(wrong)
    return found


def _lines(book: Book) -> dict[int, list[_Line]]:
    """The dated lines of each client, by the client's primary key."""
    lines: dict[int, list[_Line]] = defaultdict(list)
    for row in book.view.rows:
        pk = book.client_of(row)
        if pk is not None and row.cancelled_on is not None:
            lines[pk].append(_Line(row, row.cancelled_on, book.case_of(row)))
    return lines


def _services(lines: Collection[int]) -> dict[int, list[Subscription]]:
    services: dict[int, list[Subscription]] = defaultdict(list)
    for subscription in Subscription.objects.filter(client__gone_at=None).select_related("client"):
        if subscription.client_id in lines:
            services[subscription.client_id].append(subscription)
    return services


@dataclass(frozen=True)
class _Handled:
    """What cases say of subscriptions: which are in open ones or in one whose row is just leaving
    the list, the day of the newest request about each, and which belong to each case.
    """

    open: set[int] = field(default_factory=set)
    asked: dict[int, dt.date] = field(default_factory=dict)
    scope_of: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))


def _handled() -> _Handled:
    zone = configuration.zone()
    handled = _Handled()
    states = [Intent.State.UNWANTED, Intent.State.LEAVING]
    rows = Intent.objects.filter(kind=Intent.Kind.ROW, state__in=states)
    leaving = set(rows.values_list("case_id", flat=True))
    scopes = CaseSubscription.objects.select_related("case")
    for scope in scopes.order_by("case__received_at"):
        if scope.case.state in OPEN_STATES or scope.case_id in leaving:
            handled.open.add(scope.subscription_id)
        if scope.case.state != State.WITHDRAWN:
            handled.asked[scope.subscription_id] = scope.case.received_at.astimezone(zone).date()
            handled.scope_of[scope.case_id].add(scope.subscription_id)
    return handled


def _newest(lines: list[_Line], service: Subscription, handled: _Handled) -> _Line | None:
    """The newest line that says this service has ended: a case's line speaks of the case's own
    services, one by hand of all the client has. Of one day the case's line is the surer one.
    """
    speaking = [
        line for line in lines if line.case is None or service.pk in handled.scope_of[line.case.pk]
    ]
    return max(speaking, key=lambda line: (line.on, line.case is not None), default=None)


def _is_suspect(service: Subscription, line: _Line, handled: _Handled) -> bool:
    return (
        service.is_live
        and service.pk not in handled.open
        and handled.asked.get(service.pk, line.on) <= line.on
        and not _came_back(service, line)
    )


def _came_back(subscription: Subscription, line: _Line) -> bool:
    """Whether the client started this service after the day they left."""
    started = subscription.started_at
    return started is not None and started.astimezone(configuration.zone()).date() > line.on


def _confirmed(subscription: Subscription, line: _Line, billsby: Billsby) -> Wrong | None:
    try:
        now = billsby.subscription(subscription.billsby_id)
    except NotFound:
        return None
    if now.customer_id != subscription.client.billsby_id:
        return None
    mirror.keep_subscription(subscription.client, now)
    paused_is_enough = configuration.text("STOP_BY") == "pause"
    if now.status.is_stopped or (paused_is_enough and now.status is SubscriptionStatus.PAUSED):
        return None
    return _wrong(subscription.client, subscription, now, line)


def _wrong(
    client: Client, subscription: Subscription, now: BillsbySubscription, line: _Line
) -> Wrong:
    zone = configuration.zone()
    charges = (
        f" and charges next on {date(now.next_billing_at, zone)}" if now.next_billing_at else ""
    )
    return Wrong(
        Finding.Kind.STILL_BILLING,
        subscription.billsby_id,
        f"{client} is on the list since {date(line.on, zone)} (row {line.row.row_number}), but "
        f'Billsby says {subscription} is "{now.status_raw}"{charges}. File a request for them, '
        "or take the row off the list if they came back.",
        client=client,
        case=line.case,
    )
