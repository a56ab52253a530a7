"""Clients: who they are, what they pay for, and what has been asked."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from canceldesk.cases.models import Case
from canceldesk.clients import refreshing, search
from canceldesk.clients.models import Client
from canceldesk.intake import services as intake
from canceldesk.web.clientfacts import all_facts, facts_of

ON_A_PAGE = 25
MOST_ALIKE = 25


@login_required
@require_safe
def page(request: HttpRequest) -> HttpResponse:
    """Everybody, or those who fit what is searched; only the table when htmx asks."""
    query = request.GET.get("q", "").strip()
    shown = search.matching(query) if query else Client.objects.filter(gone_at=None)
    shown = shown.prefetch_related("subscriptions", "open_invoices")
    pages = Paginator(shown, ON_A_PAGE)
    clients = pages.get_page(request.GET.get("page"))
    alike = search.alike(query, MOST_ALIKE) if query and not pages.count else []
    known = {
        "query": query,
        "clients": clients,
        "all_facts": all_facts(alike or clients),
        "are_alike": bool(alike),
        "count": pages.count,
        "last_refresh": refreshing.last_refresh(),
    }
    whole = not request.headers.get("HX-Request")
    return render(request, "clients/page.html" if whole else "clients/table.html", known)


@login_required
@require_safe
def one(request: HttpRequest, pk: int) -> HttpResponse:
    """One client as the desk's copy has them."""
    client = get_object_or_404(Client, pk=pk)
    cases = Case.objects.filter(client=client).select_related("reason", "filed_by")
    return render(request, "clients/one.html", {"facts": facts_of(client), "cases": cases})


@login_required
@require_POST
def read(request: HttpRequest, pk: int) -> HttpResponse:
    """Read a client in Billsby now."""
    client = get_object_or_404(Client, pk=pk)
    problem = intake.look(client)
    if problem:
        messages.warning(request, f"{problem} What you see is still the desk's copy.")
    else:
        messages.success(request, "Read from Billsby just now.")
    return redirect("client", pk=pk)
