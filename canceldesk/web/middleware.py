"""What every request gets."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from canceldesk.configuration import services as configuration


class CompanyTimeMiddleware:
    """Shows times in the company's time zone."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with timezone.override(configuration.zone()):
            return self.get_response(request)
