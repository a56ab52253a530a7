"""Clients whose service is stopped in Billsby but who are not on the list."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from canceldesk.cases.models import OPEN_STATES, CaseSubscription, Finding, State
from canceldesk.checks.book import Book, Wrong
from canceldesk.checks.people import name_key
from canceldesk.clients.models import Client, Subscription


def find(book: Book) -> Iterator[Wrong]:
    """One for each client with a stopped subscription and no line. A line that may be theirs
    counts as theirs. What a case stops or has stopped is the case's own business.
    """
    certain = {pk for row in book.view.rows if (pk := book.client_of(row)) is not None}
    maybe = [row for row in book.view.rows if book.client_of(row) is None]
    names = {name_key(row.name) for row in maybe}
    numbers = {number for row in maybe if (number := book.people.number_key(row.phone))}
    for client, stopped in _stopped().items():
        pk = client.pk
        may_be_listed = book.people.names[pk] in names or book.people.numbers[pk] in numbers
        if pk not in certain and not may_be_listed:
            yield _wrong(client, stopped)


def _stopped() -> dict[Client, list[Subscription]]:
    in_a_case = CaseSubscription.objects.filter(
        case__state__in=[*OPEN_STATES, State.CLOSED]
    ).values("subscription")
    there = (
        Subscription.objects.filter(
            status__in=[Subscription.Status.SUSPENDED, Subscription.Status.CANCELLED],
            client__gone_at=None,
        )
        .exclude(pk__in=in_a_case)
        .select_related("client")
    )
    stopped: dict[Client, list[Subscription]] = defaultdict(list)
    for subscription in there:
        stopped[subscription.client].append(subscription)
    return stopped


def _wrong(client: Client, stopped: list[Subscription]) -> Wrong:
    what = ", ".join(f"{one} is {one.status_raw or one.get_status_display()}" for one in stopped)
    return Wrong(
        Finding.Kind.NOT_LISTED,
        client.billsby_id,
        f"{client} is not on the list, but in Billsby {what}. If they asked to leave, add their "
        "row at the top of the list.",
        client=client,
    )
