"""Fragments that keep themselves up to date without a reload."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def live_fragment(
    request: HttpRequest, template: str, context: Mapping[str, Any], version: object
) -> HttpResponse:
    """Answer a fragment's question whether it is still right.

    `version` is whatever changes when the fragment would (a case's version, for example). The
    fragment sends the version it shows as `?version=`; while they agree the answer is 204 and
    the page stays as it is. Otherwise the fragment comes anew, with `version` in its context for
    the `live` tag that makes it ask again.
    """
    shown = str(version)
    if request.GET.get("version") == shown:
        return HttpResponse(status=204)
    return render(request, template, {**context, "version": shown})
