"""Signing in, where the desk differs from allauth."""

from __future__ import annotations

from allauth.account import views as allauth
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from canceldesk.messages import mail


def password_reset(request: HttpRequest) -> HttpResponse:
    """A link by e-mail where e-mail can be sent; elsewhere the advice to ask an admin."""
    if not mail.is_set_up():
        return ask_for_a_password(request)
    response: HttpResponse = allauth.password_reset(request)
    return response


def ask_for_a_password(request: HttpRequest) -> HttpResponse:
    """Says that an admin gives out one-time passwords."""
    return render(request, "account/password_reset_ask.html")


def no_sign_up(request: HttpRequest) -> HttpResponse:
    """There is no sign-up; allauth only wants the name of its address."""
    raise Http404
