"""The whole-book comparison of the list with Billsby."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass

from django.db import transaction

from canceldesk import clock
from canceldesk.billsby import Billsby
from canceldesk.cases import findings
from canceldesk.cases.models import Finding
from canceldesk.checks import doubles, forgotten, not_listed, rows, still_billing
from canceldesk.checks.book import Book, Wrong
from canceldesk.checks.matching import listed_facts, match
from canceldesk.checks.people import People
from canceldesk.checks.under_watch import under_watch
from canceldesk.clients import refreshing
from canceldesk.workbook.protocol import CancellationList, ListedRow

YOUNG_ENOUGH = dt.timedelta(hours=1)
"""A copy of the clients this young need not be read again: what it says is wrong is confirmed in
Billsby anyway, and what it misses the next comparison finds."""

KINDS = (
    Finding.Kind.STILL_BILLING,
    Finding.Kind.ROW_CHANGED,
    Finding.Kind.ROW_TWICE,
    Finding.Kind.NOT_LISTED,
)
"""What a comparison finds."""


class CannotCompareError(Exception):
    """The clients could not be read from Billsby to their end; the text says why."""


@dataclass(frozen=True)
class Report:
    """What a comparison saw. `of_cases` lines belong to a case; of the others `unmatched` could
    not be tied to one client for certain. `unclear` clients have one service stopped and another
    running, so that the list alone does not say what was meant. `unreadable` lines hold a value
    that could not be understood. `wrong` counts what stands per kind.
    """

    rows: int
    of_cases: int
    unmatched: int
    unclear: int
    unreadable: int
    wrong: dict[Finding.Kind, int]

    @property
    def sentence(self) -> str:
        """The report in words."""
        total = sum(self.wrong.values())
        counts = {
            "Rows that could not be tied to one client for certain": self.unmatched,
            "Clients with one service stopped and another that bills": self.unclear,
            "Rows with a value that cannot be understood": self.unreadable,
        }
        said = [f"{what}: {count}." for what, count in counts.items() if count]
        compared = f"Compared the list with Billsby. Rows: {self.rows}. Wrong: {total}."
        return " ".join([compared, *said])


def compare_book(billsby: Billsby, the_list: CancellationList) -> Report:
    """Compare every line with Billsby and every stopped subscription with the list, and report
    or resolve findings. Running it twice changes nothing.

    Raises CannotCompareError, BillsbyError and ListError; then no finding has changed.
    """
    _bring_up_to_date(billsby)
    book = _open_book(the_list)
    billing = still_billing.find(book, billsby)
    wrong = [
        *billing.wrong,
        *rows.find(book),
        *not_listed.find(book),
        *forgotten.find(book, billsby),
        *doubles.find(book),
    ]
    _settle(wrong, still_unknown={(Finding.Kind.STILL_BILLING, key) for key in billing.skipped})
    return Report(
        rows=len(book.view.rows),
        of_cases=len(book.matched.case_of),
        unmatched=sum(book.client_of(row) is None for row in book.view.rows),
        unclear=billing.unclear,
        unreadable=sum(is_unreadable(row) for row in book.view.rows),
        wrong=dict(Counter(one.kind for one in wrong)),
    )


def is_unreadable(row: ListedRow) -> bool:
    """Whether a line holds a value that the desk could not understand."""
    return bool(row.raw) or row.cancelled_on is None


def standing() -> list[Finding]:
    """What the newest comparison and the watches of the list still find wrong: what costs a
    client money first, then the newest.
    """
    return list(findings.standing().filter(kind__in=KINDS).select_related("client", "case"))


def _bring_up_to_date(billsby: Billsby) -> None:
    last = refreshing.last_refresh()
    # One from far ahead was stamped by a clock that was wrong then.
    if last is not None and abs(clock.now() - last.started_at) <= YOUNG_ENOUGH:
        return
    run = refreshing.refresh_all(billsby)
    if run.problem:
        raise CannotCompareError(run.problem)


def _open_book(the_list: CancellationList) -> Book:
    view = the_list.read()
    return Book(view, match(view, listed_facts()), People.now())


def _settle(wrong: list[Wrong], *, still_unknown: set[tuple[Finding.Kind, str]]) -> None:
    standing = {(one.kind, one.key) for one in wrong} | still_unknown
    with transaction.atomic():
        for one in wrong:
            findings.report(one.kind, one.key, one.sentence, client=one.client, case=one.case)
        for finding in Finding.objects.filter(kind__in=KINDS, resolved_at=None).exclude(
            case__in=under_watch()
        ):
            kind = Finding.Kind(finding.kind)
            if (kind, finding.key) not in standing:
                findings.resolve(kind, finding.key)
