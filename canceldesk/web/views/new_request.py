"""New request: find the client, see how things stand, file what they want."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from http import HTTPStatus

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from canceldesk import outside
from canceldesk.billsby import BillsbyError
from canceldesk.cases.authority import Act, require
from canceldesk.cases.models import Case, Channel, Reason, Wish
from canceldesk.cases.services import AlreadyOpenError, CaseError
from canceldesk.clients import refreshing, search
from canceldesk.clients.models import Client
from canceldesk.intake import services as intake
from canceldesk.intake.services import Filed
from canceldesk.web.clientfacts import ClientFacts, SubscriptionFacts, all_facts, facts_of
from canceldesk.web.forms.request import RequestForm
from canceldesk.web.requests import signed_in

MOST_KEYS = 9
MOST_FOUND = 8


@dataclass(frozen=True)
class Option:
    """One thing to choose in the form; `key` is the number that chooses it."""

    value: object
    label: str
    is_chosen: bool
    key: str = ""


@dataclass(frozen=True)
class Scope:
    """A subscription as a check box."""

    facts: SubscriptionFacts
    is_chosen: bool


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def page(request: HttpRequest) -> HttpResponse:
    """The page, with a client picked already when the address says `?client=`; a POST files."""
    require(signed_in(request), Act.FILE)
    if request.method == "POST":
        return _file(request)
    given = request.GET.get("client", "")
    picked = get_object_or_404(Client, pk=_whole(given)) if given else None
    return render(request, "new_request/page.html", {"picked": picked})


@login_required
@require_safe
def results(request: HttpRequest) -> HttpResponse:
    """Clients that fit what is being typed."""
    return _results(request, request.GET.get("q", ""))


@login_required
@require_POST
def look_up(request: HttpRequest) -> HttpResponse:
    """Ask Billsby itself for somebody who is too new for the desk's copy."""
    require(signed_in(request), Act.FILE)
    query = request.POST.get("q", "").strip()
    problem = ""
    if query:
        try:
            refreshing.look_up(outside.billsby(), query)
        except (BillsbyError, outside.NotSetUpError) as trouble:
            problem = str(trouble)
    return _results(request, query, problem=problem, is_asked=True)


@login_required
@never_cache
@require_safe
def panel(request: HttpRequest, pk: int) -> HttpResponse:
    """One client as Billsby has them now, or as the copy has them, and the form."""
    require(signed_in(request), Act.FILE)
    here = f"{reverse('new-request')}?{urlencode({'client': pk})}"
    if not request.headers.get("HX-Request"):
        return redirect(here)
    client = get_object_or_404(Client, pk=pk)
    problem = intake.look(client)
    facts = facts_of(client)
    live = [one.subscription for one in facts.live if one.can_be_chosen]
    form = RequestForm(
        client,
        # With a case open already, what is left is more likely what stays: a person chooses.
        chosen=live if len(live) == 1 and not facts.open_cases else [],
        form_token=_new_token(),
    )
    response = render(request, "new_request/panel.html", _known(facts, form, problem=problem))
    response.headers["HX-Push-Url"] = here
    return response


def _file(request: HttpRequest) -> HttpResponse:
    client = get_object_or_404(Client, pk=_whole(request.POST.get("client", "")))
    form = RequestForm(client, request.POST)
    if not form.is_valid():
        return _again(request, client, form)
    said = form.cleaned_data
    try:
        filed = intake.file_by_form(
            by=signed_in(request),
            client=client,
            subscription_ids=[one.pk for one in said["subscriptions"]],
            wish=Wish(said["wish"]),
            channel=Channel(said["channel"]),
            reason=said["reason"],
            reason_words=said["reason_words"],
            note=said["note"],
            received_at=said["received_at"],
            form_token=said["form_token"],
        )
    except AlreadyOpenError as problem:
        form.add_error("subscriptions", str(problem))
        return _again(request, client, form, standing=problem.case)
    except CaseError as problem:
        form.add_error(None, str(problem))
        return _again(request, client, form)
    if not filed.case.is_open:
        return _filed_before(request, client, filed.case)
    _say(request, filed)
    return redirect("case", pk=filed.case.pk)


def _filed_before(request: HttpRequest, client: Client, ended: Case) -> HttpResponse:
    """Whether a form that comes again after its case has ended is a late double of the same post or
    a client who asks once more only a person can tell. So nothing is filed, and what was typed
    stands in a form of its own: filing that one makes a case.
    """
    typed = request.POST.copy()
    typed["form_token"] = _new_token()
    form = RequestForm(client, typed)
    form.full_clean()
    form.add_error(
        None,
        f"This form was filed as {ended.number} before, which has ended: "
        f"{ended.get_state_display()}. Nothing new is filed yet. If the client asks once more, "
        "file the request again; if not, there is nothing to do.",
    )
    return _again(request, client, form, standing=ended)


def _new_token() -> str:
    return secrets.token_urlsafe(24)


def _again(
    request: HttpRequest, client: Client, form: RequestForm, *, standing: Case | None = None
) -> HttpResponse:
    known = _known(facts_of(client), form, standing=standing)
    return render(
        request,
        "new_request/page.html",
        {**known, "picked": client},
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
    )


def _say(request: HttpRequest, filed: Filed) -> None:
    if not filed.is_new:
        messages.info(request, f"This form was already filed as {filed.case.number}.")
        return
    messages.success(request, f"Filed as {filed.case.number}.")
    if filed.problem:
        messages.warning(
            request,
            f"{filed.case.number} is stored. {filed.problem} So the next charge shown is from "
            "the desk's copy; the desk keeps asking Billsby by itself.",
        )


def _results(
    request: HttpRequest, query: str, *, problem: str = "", is_asked: bool = False
) -> HttpResponse:
    known = {
        "query": query,
        "found": all_facts(search.find(query, MOST_FOUND)),
        "most": MOST_FOUND,
        "problem": problem,
        "is_asked": is_asked,
    }
    return render(request, "new_request/results.html", known)


def _known(
    facts: ClientFacts, form: RequestForm, *, problem: str = "", standing: Case | None = None
) -> dict[str, object]:
    offered = enumerate(Reason.objects.filter(is_offered=True), start=1)
    return {
        "facts": facts,
        "form": form,
        "problem": problem,
        "standing": standing,
        "can_file": form.is_bound or any(one.can_be_chosen for one in facts.subscriptions),
        "scopes": [
            Scope(one, form.is_chosen("subscriptions", one.subscription.pk))
            for one in facts.subscriptions
        ],
        "reasons": [
            Option(
                reason.pk,
                reason.label,
                form.is_chosen("reason", reason.pk),
                key=str(place) if place <= MOST_KEYS else "",
            )
            for place, reason in offered
        ],
        "wishes": _options(form, "wish", Wish.choices),
        "channels": _options(form, "channel", Channel.choices),
    }


def _options(form: RequestForm, field: str, choices: list[tuple[str, str]]) -> list[Option]:
    return [Option(value, label, form.is_chosen(field, value)) for value, label in choices]


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() else 0
