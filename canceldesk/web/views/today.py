"""What waits for the person who looks, those charged next first."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.db.models import F, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import SimpleLazyObject
from django.views.decorators.http import require_safe

from canceldesk import clock
from canceldesk.accounts.models import User
from canceldesk.cases import findings
from canceldesk.cases.authority import Act, may
from canceldesk.cases.models import OPEN_STATES, Case, Finding, State, WaitsFor
from canceldesk.cases.services import flagged
from canceldesk.clients.models import Subscription
from canceldesk.closing import panel
from canceldesk.closing.models import Step
from canceldesk.closing.panel import Clicks
from canceldesk.retention import services as retention
from canceldesk.web import charges
from canceldesk.web.live import live_fragment
from canceldesk.web.requests import signed_in

# More than this in one part is a bad day; the rest follows as the first are done.
MOST = 50


@dataclass(frozen=True)
class Waiting:
    """A case that waits, and in one sentence for what."""

    case: Case
    sentence: str
    clicks: tuple[Clicks, ...] = ()


@dataclass(frozen=True)
class Part:
    """Cases that wait for the same thing."""

    key: str
    title: str
    icon: str
    waiting: list[Waiting]


@dataclass(frozen=True)
class Found:
    """Something found wrong, and what is charged next because of it."""

    finding: Finding
    charge: Subscription | None


@dataclass(frozen=True)
class Today:
    """Everything on the page. `found` is how many findings stand in all."""

    parts: list[Part]
    findings: list[Found]
    found: int

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self.parts and not self.findings

    @property
    def more_found(self) -> int:
        """How many findings stand beside those that are shown."""
        return self.found - len(self.findings)


@login_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Today."""
    version = _version()
    known = {"today": todays(signed_in(request)), "version": version}
    return render(request, "today/page.html", known)


@login_required
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """Today's parts, when something about them changed."""
    user = signed_in(request)
    known = {"today": SimpleLazyObject(lambda: todays(user))}
    return live_fragment(request, "today/parts.html", known, _version())


@login_required
@require_safe
def found_wrong(request: HttpRequest) -> HttpResponse:
    """All that was found wrong and stands, however much it is."""
    shown = Paginator(_standing(), MOST).get_page(request.GET.get("page"))
    known = {"shown": shown, "findings": [_found(one) for one in shown]}
    return render(request, "today/found.html", known)


def _version() -> str:
    """What changes whenever the page would, in three queries; the minute, because it says how
    long it is until a charge.
    """
    open_ones = Case.objects.filter(state__in=OPEN_STATES)
    stuck = flagged().exclude(state__in=OPEN_STATES)
    wrong = findings.standing()
    # Put in order here: asked to, SQLite goes through all there ever were, as they come in order.
    shown = (
        sorted(open_ones.order_by().values_list("pk", "version")),
        sorted(stuck.order_by().values_list("pk", "version")),
        sorted(wrong.order_by().values_list("pk", "sentence")),
        f"{clock.now():%H%M}",
    )
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]


def todays(user: User) -> Today:
    """What waits for this person, by what it waits for; parts without cases are left out."""
    parts = [
        Part("attention", "Needs attention", "alert-triangle", _stuck()),
        Part("clicks", "Waits for your click in Billsby", "external-link", _clicks()),
        Part("write-offs", "Write-offs to approve", "receipt-off", _write_offs(user)),
    ]
    if may(user, Act.DECIDE):
        parts.append(Part("undecided", "To retain or decide", "heart-handshake", _undecided()))
    shown = {waiting.case.pk for part in parts for waiting in part.waiting}
    parts.append(Part("desk", "The desk is at it", "progress", _at_work(shown)))
    wrong = [_found(one) for one in _standing()[:MOST]]
    found = len(wrong) if len(wrong) < MOST else _standing().count()
    return Today([part for part in parts if part.waiting], wrong, found)


def _by_next_charge(cases: QuerySet[Case]) -> QuerySet[Case]:
    return cases.select_related("client").order_by(F("next_charge_at").asc(nulls_last=True), "pk")


def _stuck() -> list[Waiting]:
    stuck = _by_next_charge(flagged())
    return [Waiting(case, case.attention) for case in stuck[:MOST]]


def _clicks() -> list[Waiting]:
    asked = Case.objects.filter(
        state=State.CLOSING, attention="", steps__name=Step.Name.STOP, steps__evidence__click=True
    ).prefetch_related("steps", "scope__subscription", "scope__hold")
    found = [(case, panel.clicks_for(case)) for case in _by_next_charge(asked)[:MOST]]
    return [Waiting(case, case.waits_sentence, tuple(clicks)) for case, clicks in found if clicks]


def _write_offs(user: User) -> list[Waiting]:
    asked = Step.objects.filter(
        name=Step.Name.CLEAR, case__state=State.CLOSING, evidence__has_key="to_approve"
    )
    if not may(user, Act.WRITE_OFF_ABOVE_LIMIT):
        asked = asked.filter(evidence__manager_needed=False)
    sentences = dict(asked.values_list("case_id", "sentence"))
    cases = _by_next_charge(Case.objects.filter(pk__in=sentences, attention=""))
    return [Waiting(case, sentences[case.pk]) for case in cases[:MOST]]


def _at_work(shown: set[int]) -> list[Waiting]:
    """Closings that wait for Billsby, the workbook or a time: nobody's turn, but not to be lost
    sight of.
    """
    closing = Case.objects.filter(state=State.CLOSING).exclude(pk__in=shown)
    closing = closing.exclude(waits_for=WaitsFor.PERSON)
    return [
        Waiting(case, case.waits_sentence or "The desk is about to look at it.")
        for case in _by_next_charge(closing)[:MOST]
    ]


def _undecided() -> list[Waiting]:
    waiting = retention.queue().filter(attention="").prefetch_related(None)[:MOST]
    return [Waiting(case, _what_to_decide(case)) for case in waiting]


def _what_to_decide(case: Case) -> str:
    asked = f"Wants to {case.wish} ({case.reason})"
    if case.wish == "unsure":
        asked = f"Is not sure yet ({case.reason})"
    if case.state == State.NEW:
        return f"{asked}. Nobody has spoken with them yet: call, then decide."
    return f"{asked}. In retention: speak again or decide."


def _standing() -> QuerySet[Finding]:
    there = findings.standing().select_related("case__client", "client")
    return there.prefetch_related("case__scope__subscription")


def _found(finding: Finding) -> Found:
    return Found(finding, charges.next_charge(finding.case) if finding.case else None)
