"""Clients on the list whose service still bills."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass, field

from canceldesk.billsby import Billsby, NotFound, SubscriptionStatus
from canceldesk.billsby import Subscription as BillsbySubscription
from canceldesk.cases.models import OPEN_STATES, Case, CaseSubscription, Finding, State
from canceldesk.checks.book import Book, Wrong
from canceldesk.checks.under_watch import under_watch
from canceldesk.clients import mirror
from canceldesk.clients.models import Client, Subscription
from canceldesk.closing.shown import date
from canceldesk.configuration import services as configuration
from canceldesk.workbook.protocol import ListedRow


@dataclass
class Billing:
    """What was found; `unclear` counts clients of whom one service is stopped and another not."""

    wrong: list[Wrong] = field(default_factory=list)
    unclear: int = 0


@dataclass(frozen=True)
class _Line:
    row: ListedRow
    on: dt.date
    case: Case | None


def find(book: Book, billsby: Billsby) -> Billing:
    """Look at the newest line of each client; what the copy says still bills is read in Billsby
    before it is called wrong. Raises BillsbyError.
    """
    lines = _newest_lines(book)
    services = _services(lines)
    handled = _handled()
    found = Billing()
    for pk, line in lines.items():
        suspects = [
            one
            for one in _meant(line, services[pk], handled)
            if one.is_live
            and one.pk not in handled.open
            and handled.asked.get(one.pk, line.on) <= line.on
            and not _came_back(one, line)
        ]
        if line.case is None and suspects and any(one.is_stopped for one in services[pk]):
            found.unclear += 1
            continue
        found.wrong += [wrong for one in suspects if (wrong := _confirmed(one, line, billsby))]
    return found


def _newest_lines(book: Book) -> dict[int, _Line]:
    """The newest line per client; clients whose own case is being looked after are left out."""
    watched = set(under_watch().values_list("pk", flat=True))
    lines: dict[int, _Line] = {}
    for row in book.view.rows:
        pk, case = book.client_of(row), book.case_of(row)
        if pk is None or row.cancelled_on is None:
            continue
        if pk not in lines or lines[pk].on < row.cancelled_on:
            lines[pk] = _Line(row, row.cancelled_on, case)
    return {pk: one for pk, one in lines.items() if not one.case or one.case.pk not in watched}


def _services(lines: dict[int, _Line]) -> dict[int, list[Subscription]]:
    services: dict[int, list[Subscription]] = defaultdict(list)
    for subscription in Subscription.objects.filter(client__gone_at=None).select_related("client"):
        if subscription.client_id in lines:
            services[subscription.client_id].append(subscription)
    return services


@dataclass(frozen=True)
class _Handled:
    """What cases say of subscriptions: which are in open ones, the day of the newest request
    about each, and which belong to each case.
    """

    open: set[int] = field(default_factory=set)
    asked: dict[int, dt.date] = field(default_factory=dict)
    scope_of: dict[int, set[int]] = field(default_factory=lambda: defaultdict(set))


def _handled() -> _Handled:
    zone = configuration.zone()
    handled = _Handled()
    scopes = CaseSubscription.objects.exclude(case__state=State.WITHDRAWN).select_related("case")
    for scope in scopes.order_by("case__received_at"):
        if scope.case.state in OPEN_STATES:
            handled.open.add(scope.subscription_id)
        handled.asked[scope.subscription_id] = scope.case.received_at.astimezone(zone).date()
        handled.scope_of[scope.case_id].add(scope.subscription_id)
    return handled


def _meant(line: _Line, services: list[Subscription], handled: _Handled) -> list[Subscription]:
    """Which of a client's services a line says have ended: a case knows, by hand it is all."""
    if line.case is None:
        return services
    return [one for one in services if one.pk in handled.scope_of[line.case.pk]]


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
