"""What waits for me."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


@login_required
def page(request: HttpRequest) -> HttpResponse:
    """Today: what waits for the person who looks, ordered by next charge."""
    return render(request, "today.html")
