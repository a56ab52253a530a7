"""The page of one case, its live parts, and what people do there."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.views.decorators.http import require_http_methods, require_safe

from canceldesk.accounts.models import User
from canceldesk.cases.models import Case
from canceldesk.web import casepage
from canceldesk.web.actions import ACTIONS, HalfDoneError, Trouble, status_of
from canceldesk.web.casepage import CasePage
from canceldesk.web.forms import case as forms
from canceldesk.web.forms.case import CaseForm
from canceldesk.web.live import live_fragment
from canceldesk.web.requests import signed_in


@login_required
@require_safe
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole case."""
    return _show(request, pk)


@login_required
@require_safe
def live(request: HttpRequest, pk: int) -> HttpResponse:
    """The parts of the page that changed since the version it shows."""
    version = casepage.version(pk)
    if version is None:
        raise Http404
    user = signed_in(request)
    context = SimpleLazyObject(lambda: CasePage(casepage.query().get(pk=pk), user))
    known = {"page": context, "forms": SimpleLazyObject(lambda: _forms(context.case, user))}
    return live_fragment(request, "case/live.html", {**known, "is_fresh": True}, version)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def act(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    """Do one thing to a case and go back to its page; a reload of what went wrong goes there too.

    422 for what makes no sense, 409 when somebody was quicker, 502 or 503 when Billsby or the
    set-up is in the way: always the page again, with the sentence and what was typed.
    """
    chosen = ACTIONS.get(action)
    if chosen is None:
        raise Http404
    if request.method != "POST":
        return redirect("case", pk=pk)
    case = get_object_or_404(Case.objects.select_related("client"), pk=pk)
    form = chosen.form(case, signed_in(request), request.POST)
    if not form.is_valid():
        return _show(request, pk, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        messages.success(request, chosen.do(form))
    except HalfDoneError as problem:
        messages.warning(request, str(problem))
    except Trouble as problem:
        form.add_error(None, str(problem))
        return _show(request, pk, form, status_of(problem))
    return HttpResponseRedirect(
        f"{reverse('case', args=[pk])}#{chosen.panel}", status=HTTPStatus.SEE_OTHER
    )


def _show(
    request: HttpRequest,
    pk: int,
    posted: CaseForm | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    user = signed_in(request)
    # Before the case is read: what changes in between is then fetched, not missed.
    version = casepage.version(pk)
    case = get_object_or_404(casepage.query(), pk=pk)
    known = {
        "page": CasePage(case, user, whole_log=request.GET.get("log") == "all"),
        "forms": _forms(case, user) | ({posted.key: posted} if posted else {}),
        "posted": posted,
        "version": version,
    }
    return render(request, "case/page.html", known, status=status)


def _forms(case: Case, user: User) -> dict[str, CaseForm]:
    kinds = (
        forms.NoteForm,
        forms.AttemptForm,
        forms.DecideForm,
        forms.WithdrawForm,
        forms.TakeBackForm,
        forms.TakeOffForm,
        forms.SettleForm,
    )
    return {kind.key: kind(case, user) for kind in kinds}
