"""The retention queue: undecided cases, those charged next first."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import SimpleLazyObject
from django.views.decorators.http import require_safe

from canceldesk import clock
from canceldesk.accounts.models import User
from canceldesk.cases.authority import Act, may, refusal
from canceldesk.cases.models import UNDECIDED_STATES, Case, CaseSubscription
from canceldesk.closing.models import Hold
from canceldesk.retention import services as retention
from canceldesk.retention.models import Attempt
from canceldesk.web.live import live_fragment
from canceldesk.web.requests import signed_in

ON_A_PAGE = 50


class Undecided:
    """One line of the queue."""

    def __init__(self, case: Case) -> None:
        self.case = case
        attempts: list[Attempt] = list(case.attempts.all())
        self.attempts = len(attempts)
        self.newest = attempts[-1] if attempts else None

    @property
    def hold(self) -> Hold | None:
        """What keeps the next charge away, if anything does."""
        scopes: list[CaseSubscription] = list(self.case.scope.all())
        holds = (getattr(scope, "hold", None) for scope in scopes)
        return next((hold for hold in holds if hold and hold.state == Hold.State.HELD), None)


@login_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """The queue, a page of it at a time; agents may look."""
    version = _version()
    return render(request, "retention/page.html", {**_known(request), "version": version})


@login_required
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """The queue, when something about it changed."""
    return live_fragment(request, "retention/queue.html", _known(request), _version())


def _known(request: HttpRequest) -> Mapping[str, object]:
    user: User = signed_in(request)
    pages = Paginator(retention.queue().prefetch_related("scope__hold"), ON_A_PAGE)
    cases = SimpleLazyObject(lambda: pages.get_page(request.GET.get("page")))
    return {
        "cases": cases,
        "queue": SimpleLazyObject(lambda: [Undecided(case) for case in cases]),
        "refusal": "" if may(user, Act.RETAIN) else refusal(user, Act.RETAIN),
    }


def _version() -> str:
    """What changes whenever the queue would; the minute, because it says how long people wait."""
    undecided = Case.objects.filter(state__in=UNDECIDED_STATES).order_by("pk")
    shown = (list(undecided.values_list("pk", "version")), f"{clock.now():%H%M}")
    return hashlib.sha256(repr(shown).encode()).hexdigest()[:16]
