"""Settings → Users: who signs in, and as what."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from allauth.mfa.models import Authenticator
from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Exists, OuterRef
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from canceldesk.accounts import services
from canceldesk.accounts.models import Role, User
from canceldesk.cases.authority import Act, require
from canceldesk.web.requests import signed_in
from canceldesk.web.settings_form import SECTION_LABELS


class NewUserForm(forms.Form):
    """Who is added."""

    name = forms.CharField(max_length=120, label="Name")
    email = forms.EmailField(label="E-mail address", help_text="Signs in with it.")
    role = forms.ChoiceField(choices=Role.choices, label="Role", initial=Role.AGENT)


class RoleForm(forms.Form):
    """A user's role."""

    role = forms.ChoiceField(choices=Role.choices, label="Role")


@login_required
def page(request: HttpRequest) -> HttpResponse:
    """Everybody, those switched off last."""
    require(signed_in(request), Act.MANAGE_USERS)
    two_step = Authenticator.objects.filter(user=OuterRef("pk"), type=Authenticator.Type.TOTP)
    everybody = User.objects.annotate(has_two_step=Exists(two_step)).order_by("-is_active", "name")
    return _render(request, "settings/users.html", {"everybody": everybody})


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """Add somebody; the answer shows their one-time password, once."""
    require(signed_in(request), Act.MANAGE_USERS)
    form = NewUserForm(request.POST or None)
    if not form.is_valid():
        return _render(request, "settings/user_new.html", {"form": form}, _status(form))
    try:
        added = services.create_user(
            email=form.cleaned_data["email"],
            name=form.cleaned_data["name"],
            role=Role(form.cleaned_data["role"]),
            by=signed_in(request),
        )
    except services.UserProblemError as problem:
        form.add_error(None, str(problem))
        return _render(request, "settings/user_new.html", {"form": form}, _status(form))
    return _show_password(request, added.user, added.one_time_password)


@login_required
def one(request: HttpRequest, pk: int) -> HttpResponse:
    """One user, and what can be changed about them."""
    require(signed_in(request), Act.MANAGE_USERS)
    user = get_object_or_404(User, pk=pk)
    known = {
        "one": user,
        "form": RoleForm(initial={"role": user.role}),
        "has_two_step": Authenticator.objects.filter(user=user).exists(),
    }
    return _render(request, "settings/user.html", known)


@login_required
@require_POST
def role(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a user another role."""
    form = RoleForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Choose a role.")
        return redirect("settings-user", pk=pk)
    chosen = Role(form.cleaned_data["role"])
    return _do(
        request, pk, lambda user, by: services.change_role(user, chosen, by=by), "Role changed."
    )


@login_required
@require_POST
def disable(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch a user off."""
    return _do(request, pk, lambda user, by: services.disable(user, by=by), "Switched off.")


@login_required
@require_POST
def enable(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch a user on again."""
    return _do(request, pk, lambda user, by: services.enable(user, by=by), "Switched on.")


@login_required
@require_POST
def two_step_off(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a lost phone's two-step sign-in away."""
    return _do(
        request,
        pk,
        lambda user, by: services.turn_off_two_step(user, by=by),
        "Two-step sign-in is off for them.",
    )


@login_required
@never_cache
@require_POST
def one_time_password(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a user a one-time password; the answer shows it, once."""
    user = get_object_or_404(User, pk=pk)
    password = services.give_one_time_password(user, by=signed_in(request))
    return _show_password(request, user, password)


def _do(
    request: HttpRequest, pk: int, act: Callable[[User, User], None], done: str
) -> HttpResponse:
    by = signed_in(request)
    require(by, Act.MANAGE_USERS)
    try:
        act(get_object_or_404(User, pk=pk), by)
    except services.UserProblemError as problem:
        messages.error(request, str(problem))
    else:
        messages.success(request, done)
    return redirect("settings-user", pk=pk)


def _show_password(request: HttpRequest, user: User, password: str) -> HttpResponse:
    return _render(request, "settings/user_password.html", {"one": user, "password": password})


def _status(form: forms.Form) -> HTTPStatus:
    return HTTPStatus.UNPROCESSABLE_ENTITY if form.is_bound else HTTPStatus.OK


def _render(
    request: HttpRequest,
    template: str,
    known: dict[str, object],
    status: HTTPStatus = HTTPStatus.OK,
) -> HttpResponse:
    known = {**known, "section": "users", "sections": SECTION_LABELS.items()}
    return render(request, template, known, status=status)
