"""The list: what the workbook shows, whose each row is, and what is wrong with it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from canceldesk import clock, outside
from canceldesk.billsby import BillsbyError
from canceldesk.cases import waking
from canceldesk.cases.authority import Act, may, require
from canceldesk.cases.models import Case, State
from canceldesk.checks import services as checks
from canceldesk.checks.matching import Matched, listed_facts, match
from canceldesk.clients import phones
from canceldesk.clients.spelling import plain
from canceldesk.closing.models import Intent, Step, Watch
from canceldesk.web.live import live_fragment
from canceldesk.web.requests import signed_in
from canceldesk.workbook.errors import ListError
from canceldesk.workbook.protocol import ListedRow, ListView

ON_A_PAGE = 50
FIRST_FINDINGS = 3


@dataclass(frozen=True)
class Line:
    """A row of the list with its case, None when it was written by hand."""

    row: ListedRow
    case: Case | None


@dataclass(frozen=True)
class Reading:
    """The list as it is now, or why it could not be read."""

    view: ListView | None = None
    matched: Matched = field(default_factory=Matched)
    problem: str = ""

    @property
    def rows(self) -> tuple[ListedRow, ...]:
        """Newest first."""
        return self.view.rows if self.view else ()

    @property
    def file_name(self) -> str:
        """The workbook's name without its folders, which are nobody's business here."""
        return Path(self.view.path).name if self.view else ""

    @property
    def by_hand(self) -> int:
        """Rows that belong to no case."""
        return len(self.rows) - len(self.matched.case_of)

    @property
    def unreadable(self) -> int:
        """Rows with a value that could not be understood."""
        return sum(map(checks.is_unreadable, self.rows))


@login_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The list, or only its rows when htmx asks."""
    reading = _read()
    query = request.GET.get("q", "").strip()
    lines = _page(reading, query, request.GET.get("page"))
    known = {"reading": reading, "query": query, "lines": lines, "read_at": clock.now()}
    if request.headers.get("HX-Request"):
        return render(request, "the_list/rows.html", known)
    known |= _state() | {"may_check": may(signed_in(request), Act.DECIDE)}
    return render(request, "the_list/page.html", known)


@login_required
@require_safe
def state(request: HttpRequest) -> HttpResponse:
    """What is wrong and what is still to be written, when it has changed; the rows of the page
    then ask for themselves. Costs no reading of the workbook.
    """
    known = _state()
    response = live_fragment(request, "the_list/state.html", known, known["version"])
    if response.status_code == HTTPStatus.OK:
        response.headers["HX-Trigger"] = "list-changed"
    return response


@login_required
@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """Compare the whole list with Billsby now."""
    require(signed_in(request), Act.RETRY)
    try:
        report = checks.compare_book(outside.billsby(), outside.the_list())
    except (checks.CannotCompareError, BillsbyError, ListError, outside.NotSetUpError) as problem:
        messages.error(request, f"The book could not be compared. {problem}")
    else:
        waking.wake_all(Case.objects.filter(watch__result=Watch.Result.WATCHING))
        say = messages.warning if report.wrong or report.unreadable else messages.success
        say(request, report.sentence)
    return redirect("the-list")


def _read() -> Reading:
    try:
        view = outside.the_list().read()
    except (ListError, outside.NotSetUpError) as problem:
        return Reading(problem=str(problem))
    return Reading(view, match(view, listed_facts()))


def _state() -> dict[str, object]:
    wrong, pending, leaving = checks.standing(), list(_pending()), list(_leaving())
    shown = [
        [one.pk for one in wrong],
        [(case.pk, case.version) for case in pending],
        [(case.pk, case.version) for case in leaving],
    ]
    return {
        "wrong": wrong,
        "first_wrong": wrong[:FIRST_FINDINGS],
        "more_wrong": wrong[FIRST_FINDINGS:],
        "pending": pending,
        "leaving": leaving,
        "version": hashlib.sha256(repr(shown).encode()).hexdigest()[:16],
    }


def _page(reading: Reading, query: str, number: str | None) -> Page[Line]:
    cases = reading.matched.case_of
    lines = [Line(row, cases.get(row.row_number)) for row in reading.rows]
    words = plain(query).split()
    digits = phones.digits(query) if not any(map(str.isalpha, query)) else ""
    if words:
        lines = [line for line in lines if _fits(line, words, digits)]
    return Paginator(lines, ON_A_PAGE).get_page(number)


def _fits(line: Line, words: list[str], digits: str) -> bool:
    row, case = line.row, line.case
    text = plain(f"{row.name} {row.phone} {row.reason} {case.number if case else row.reference}")
    return all(word in text for word in words) or (
        bool(digits) and digits in phones.digits(row.phone)
    )


def _pending() -> QuerySet[Case]:
    """Cases in closing whose row has not been written and read back yet."""
    written = Step.objects.filter(name=Step.Name.DOCUMENT, state=Step.State.DONE)
    closing = Case.objects.filter(state=State.CLOSING).exclude(steps__in=written)
    return closing.select_related("client").order_by("next_charge_at", "pk")


def _leaving() -> QuerySet[Case]:
    """Cases whose row is to be taken off the list and has not been read back as gone yet."""
    states = [Intent.State.UNWANTED, Intent.State.LEAVING]
    rows = Intent.objects.filter(kind=Intent.Kind.ROW, state__in=states)
    return Case.objects.filter(pk__in=rows.values("case")).select_related("client").order_by("pk")
