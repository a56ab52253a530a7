"""What a view may rely on about its request."""

from __future__ import annotations

from django.http import HttpRequest

from canceldesk.accounts.models import User


def signed_in(request: HttpRequest) -> User:
    """The person behind a request that `login_required` let through."""
    assert isinstance(request.user, User)  # noqa: S101 - login_required guarantees it
    return request.user
