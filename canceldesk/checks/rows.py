"""Rows the desk wrote for cases it no longer watches, and that were changed or removed since."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import QuerySet

from canceldesk.cases.models import Finding, State
from canceldesk.checks.book import Book, Wrong
from canceldesk.checks.under_watch import under_watch
from canceldesk.closing import listing
from canceldesk.closing.models import Facts, Intent


def find(book: Book) -> Iterator[Wrong]:
    """One for each closed case whose row was changed or removed. What is older than every line
    has been moved to another tab or workbook with its year, and is nobody's fault.
    """
    days = [row.cancelled_on for row in book.view.rows if row.cancelled_on is not None]
    if not days:
        return
    for facts in _listed_once().filter(cancelled_on__gte=min(days)):
        row = book.matched.row_of.get(facts.case_id)
        if row is None or listing.differences(row, listing.row_for(facts)):
            yield Wrong(
                Finding.Kind.ROW_CHANGED,
                facts.case.number,
                listing.changed_or_removed(facts),
                client=facts.case.client,
                case=facts.case,
            )


def _listed_once() -> QuerySet[Facts]:
    stands = Intent.objects.filter(kind=Intent.Kind.ROW, state=Intent.State.CONFIRMED)
    listed = Facts.objects.filter(case__state=State.CLOSED, case__in=stands.values("case"))
    return listed.exclude(case__in=under_watch()).select_related("case__client")
