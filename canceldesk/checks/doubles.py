"""Clients who stand on the list twice for one leaving."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator

from canceldesk.cases.models import Case, Finding
from canceldesk.checks.book import Book, Wrong
from canceldesk.checks.matching import values_of
from canceldesk.checks.people import name_key
from canceldesk.checks.under_watch import under_watch
from canceldesk.clients.models import Client
from canceldesk.workbook.protocol import ListedRow


def find(book: Book) -> Iterator[Wrong]:
    """Lines with the same name, number and date of which there are more than cases."""
    watched = set(under_watch().values_list("pk", flat=True))
    alike: dict[tuple[str, str, str], list[ListedRow]] = defaultdict(list)
    for row in book.view.rows:
        if row.cancelled_on is not None and name_key(row.name):
            number = book.people.number_key(row.phone)
            alike[name_key(row.name), number, row.cancelled_on.isoformat()].append(row)
    for key, rows in alike.items():
        cases = [case for row in rows if (case := book.case_of(row))]
        if len(rows) > max(1, len(cases)) and not _is_watched(book, rows, watched):
            yield _wrong(book, key, rows, cases)


def _is_watched(book: Book, rows: list[ListedRow], watched: set[int]) -> bool:
    """Whether every surplus line repeats one that a case's own watch looks after."""
    looked_after = set()
    for row in rows:
        case = book.case_of(row)
        if case is not None and case.pk in watched:
            looked_after |= {values_of(row), row.reference.strip() or values_of(row)}
    surplus = [row for row in rows if book.case_of(row) is None]
    return all({values_of(row), row.reference.strip()} & looked_after for row in surplus)


def _wrong(
    book: Book, key: tuple[str, str, str], rows: list[ListedRow], cases: list[Case]
) -> Wrong:
    case = cases[0] if len(cases) == 1 else None
    client_pk = book.client_of(rows[0])
    client = None if client_pk is None else Client.objects.get(pk=client_pk)
    places = " and ".join(str(row.row_number) for row in rows)
    return Wrong(
        Finding.Kind.ROW_TWICE,
        case.number if case else f"row {hashlib.sha256(repr(key).encode()).hexdigest()[:40]}",
        f"{rows[0].name} is on the list {len(rows)} times for the same day, in rows {places}. "
        "Delete all but one.",
        client=client,
        case=case,
    )
