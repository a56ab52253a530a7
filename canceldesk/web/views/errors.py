"""Pages for what went wrong, in plain words. htmx gets the sentence in a header instead."""

from __future__ import annotations

import sys
from http import HTTPStatus
from urllib.parse import quote

from django.contrib.sessions.exceptions import SessionInterrupted
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

NOT_ALLOWED = "You may not open this page. If you think you should, ask an admin."
STALE_FORM = (
    "This page was open for too long, or you signed in again meanwhile. "
    "Go back, reload the page and try again."
)
NOT_FOUND = "There is nothing at this address. It may have been moved, or the link is incomplete."
FAULT = (
    "The desk could not show that because of a fault of its own. Try again; if it happens twice, "
    "tell an admin."
)
FAULT_AFTER_SENDING = (
    "The desk ran into a fault of its own, so it cannot say whether what you sent was saved. "
    "Look at the case or the page again before you repeat it; if it happens twice, tell an admin."
)
DATABASE_AWAY = (
    "The desk cannot reach its database just now. Wait a minute and load the page again; if that "
    "does not help, tell an admin."
)
# What was sent is stored before the answer is complete, and the database may go in between.
DATABASE_AWAY_AFTER_SENDING = (
    "The desk cannot reach its database just now, so it cannot say whether what you sent was "
    "saved. Keep this page, wait a minute and look at the case or the page in another tab before "
    "you repeat it; if the database stays away, tell an admin."
)
INTERRUPTED = (
    "The desk was interrupted while it answered, so it cannot say whether what you sent was saved. "
    "Look at the case or the page again before you repeat it."
)
READING = ("GET", "HEAD", "OPTIONS")
NOT_UNDERSTOOD = "The desk did not understand that. Go back, reload the page and try again."


def not_allowed(request: HttpRequest, sentence: str = NOT_ALLOWED) -> HttpResponse:
    """403 with the sentence that says who can do it instead."""
    return _page(request, HTTPStatus.FORBIDDEN, "Not allowed", sentence)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's 403: the exception's own words when it has any."""
    return not_allowed(request, str(exception) or NOT_ALLOWED)


def stale_form(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form whose CSRF token no longer fits; `reason` is Django's, for developers."""
    return _page(request, HTTPStatus.FORBIDDEN, "Please try again", STALE_FORM)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400; 503 where the session could not be stored at the end, after all had been done."""
    if isinstance(exception, SessionInterrupted):
        return _page(request, HTTPStatus.SERVICE_UNAVAILABLE, "Please look again", INTERRUPTED)
    return _bare_page(HTTPStatus.BAD_REQUEST, "Not understood", NOT_UNDERSTOOD)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404."""
    return _page(request, HTTPStatus.NOT_FOUND, "Not found", NOT_FOUND)


def fault(request: HttpRequest) -> HttpResponse:
    """500, or 503 while the database is away; drawn without asking the database for anything."""
    is_sent = request.method not in READING
    if isinstance(sys.exc_info()[1], OperationalError | InterfaceError):
        away = DATABASE_AWAY_AFTER_SENDING if is_sent else DATABASE_AWAY
        return _page(request, HTTPStatus.SERVICE_UNAVAILABLE, "The database is away", away)
    sentence = FAULT_AFTER_SENDING if is_sent else FAULT
    return _page(request, HTTPStatus.INTERNAL_SERVER_ERROR, "Something went wrong", sentence)


def _page(request: HttpRequest, status: HTTPStatus, title: str, sentence: str) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return HttpResponse(status=status, headers={"X-Desk-Problem": quote(sentence)})
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _bare_page(status, title, sentence)
    known = {"title": title, "sentence": sentence}
    return render(request, "error.html", known, status=status)


def _bare_page(status: HTTPStatus, title: str, sentence: str) -> HttpResponse:
    page = render_to_string("error.html", {"title": title, "sentence": sentence})
    return HttpResponse(page, status=status)
