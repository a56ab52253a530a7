"""What every request gets."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.urls import reverse
from django.utils import timezone

from canceldesk.cases.authority import NotAllowedError
from canceldesk.configuration import services as configuration
from canceldesk.web.views import errors

GetResponse = Callable[[HttpRequest], HttpResponse]

UNAUTHORIZED = 401
REDIRECTS = range(300, 400)
ACCOUNT = "/account/"


class CompanyTimeMiddleware:
    """Shows times in the company's time zone; every setting is read at most once a request."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer with the company's zone current."""
        with configuration.read_once(), timezone.override(configuration.zone()):
            return self.get_response(request)


class SignedOutMiddleware:
    """Says plainly that what somebody sent after their sign-in ran out was not saved."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer as usual, with a word more on the sign-in page."""
        response = self.get_response(request)
        is_sent_away = response.status_code in REDIRECTS and not request.user.is_authenticated
        if request.method == "POST" and is_sent_away and not request.path.startswith(ACCOUNT):
            messages.error(
                request,
                "You were signed out before this was saved, so nothing was saved. Sign in and "
                "do it again.",
            )
        return response


class NotAllowedMiddleware:
    """Turns a service's refusal into a 403 that says who can do it instead."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer as usual; refusals come through `process_exception`."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer a NotAllowedError; anything else goes its way."""
        if isinstance(exception, NotAllowedError):
            return errors.not_allowed(request, str(exception))
        return None


class FragmentMiddleware:
    """Makes answers to htmx useful where a whole page would not be.

    A redirect to sign-in becomes a plain 401, because following it would put the sign-in page
    into the middle of the page and lose what was typed. Messages for the person travel in the
    `HX-Trigger` header. A live fragment's GET leaves them for the next page.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, and adapt the answer if htmx asked."""
        response = self.get_response(request)
        if not request.headers.get("HX-Request"):
            return response
        if response.status_code in REDIRECTS and self._is_sign_in(response.headers["Location"]):
            return HttpResponse(status=UNAUTHORIZED)
        if request.method != "GET" and self._stays(response):
            self._send_messages(request, response)
        return response

    @staticmethod
    def _is_sign_in(location: str) -> bool:
        return urlsplit(location).path == resolve_url("account_login")

    @staticmethod
    def _stays(response: HttpResponse) -> bool:
        return response.status_code not in REDIRECTS and not (
            response.has_header("HX-Redirect") or response.has_header("HX-Refresh")
        )

    @staticmethod
    def _send_messages(request: HttpRequest, response: HttpResponse) -> None:
        waiting = [
            {"level": message.level_tag, "text": str(message.message)}
            for message in messages.get_messages(request)
        ]
        if not waiting:
            return
        triggers = json.loads(response.headers.get("HX-Trigger", "{}"))
        triggers["desk:messages"] = waiting
        response.headers["HX-Trigger"] = json.dumps(triggers)


class OneTimePasswordMiddleware:
    """Lets somebody with a one-time password do nothing but choose their own."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, or send somebody to the page where a password is chosen."""
        if self._must_choose(request):
            messages.warning(request, "Choose your own password before you go on.")
            return HttpResponseRedirect(reverse("account_change_password"))
        return self.get_response(request)

    @staticmethod
    def _must_choose(request: HttpRequest) -> bool:
        user = request.user
        if not user.is_authenticated or not user.password_is_one_time:
            return False
        return request.path not in {reverse("account_change_password"), reverse("account_logout")}
