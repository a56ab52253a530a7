"""Adding and changing users. An admin's work, logged, and never without an admin left."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field

from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from canceldesk.accounts.models import Role, User
from canceldesk.cases.authority import Act, require
from canceldesk.cases.log import Verb, record

# Without the letters and digits that are mistaken for each other when read aloud.
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP_LENGTH = 4, 4


class UserProblemError(ValueError):
    """What was asked of a user cannot be done; the sentence says why."""


class BadUserError(UserProblemError):
    """The e-mail address or the name cannot be used."""


class LastAdminError(UserProblemError):
    """The only admin left would no longer be one."""


@dataclass(frozen=True)
class NewUser:
    """A user just added, and the one-time password, which is nowhere else to be had."""

    user: User
    one_time_password: str = field(repr=False)


@transaction.atomic
def create_first_admin(*, email: str, name: str, password: str) -> User:
    """The admin a new desk starts with.

    Raises UserProblemError when there is an active admin, who adds users from then on.
    """
    if User.objects.filter(role=Role.ADMIN, is_active=True).exists():
        raise UserProblemError("There is an admin already. Ask them to add users.")
    user = _add(email, name, Role.ADMIN, password, is_one_time=False)
    record(Verb.USER_CREATED, user=user.email, role=Role.ADMIN.value)
    return user


@transaction.atomic
def create_user(*, email: str, name: str, role: Role, by: User) -> NewUser:
    """Add somebody, with a one-time password to hand over.

    Raises NotAllowedError, and BadUserError when the address or the name cannot be used.
    """
    require(by, Act.MANAGE_USERS)
    password = _one_time_password()
    user = _add(email, name, role, password, is_one_time=True)
    record(Verb.USER_CREATED, by=by, user=user.email, role=role.value)
    return NewUser(user, password)


@transaction.atomic
def change_role(user: User, role: Role, *, by: User) -> None:
    """Give a user another role. Raises NotAllowedError, LastAdminError."""
    require(by, Act.MANAGE_USERS)
    user = _locked(user)
    old = Role(user.role)
    if role is old:
        return
    if old is Role.ADMIN:
        _keep_an_admin(user)
    user.role = role
    user.save(update_fields=["role"])
    what = f"role from {old.label} to {role.label}"
    record(Verb.USER_CHANGED, by=by, user=user.email, what=what, old=old.value, new=role.value)


@transaction.atomic
def disable(user: User, *, by: User) -> None:
    """Switch a user off: signed out everywhere at once. Raises NotAllowedError, LastAdminError."""
    require(by, Act.MANAGE_USERS)
    user = _locked(user)
    if not user.is_active:
        return
    if user.role == Role.ADMIN:
        _keep_an_admin(user)
    _switch(user, is_active=False, by=by)


@transaction.atomic
def enable(user: User, *, by: User) -> None:
    """Switch a user on again. Raises NotAllowedError."""
    require(by, Act.MANAGE_USERS)
    user = _locked(user)
    if not user.is_active:
        _switch(user, is_active=True, by=by)


@transaction.atomic
def give_one_time_password(user: User, *, by: User) -> str:
    """A new password that works until the user chooses their own; ends their sessions.

    Raises NotAllowedError.
    """
    require(by, Act.MANAGE_USERS)
    user = _locked(user)
    password = _one_time_password()
    user.set_password(password)
    user.password_is_one_time = True
    user.save(update_fields=["password", "password_is_one_time"])
    record(Verb.USER_CHANGED, by=by, user=user.email, what="was given a one-time password")
    return password


@transaction.atomic
def turn_off_two_step(user: User, *, by: User) -> None:
    """For somebody whose phone and recovery codes are lost. Raises NotAllowedError."""
    require(by, Act.MANAGE_USERS)
    removed, _ = Authenticator.objects.filter(user_id=user.pk).delete()
    if removed:
        record(Verb.USER_CHANGED, by=by, user=user.email, what="two-step sign-in turned off")


def _add(email: str, name: str, role: Role, password: str, *, is_one_time: bool) -> User:
    email, name = email.strip().lower(), name.strip()
    if not name:
        raise BadUserError("Give the user a name.")
    try:
        validate_email(email)
    except ValidationError as problem:
        raise BadUserError(f'"{email}" is not an e-mail address.') from problem
    if User.objects.filter(email__iexact=email).exists():
        raise BadUserError(f"There is a user with the address {email} already.")
    return User.objects.create_user(
        email, password, name=name, role=role, password_is_one_time=is_one_time
    )


def _one_time_password() -> str:
    groups = (
        "".join(secrets.choice(_LETTERS) for _ in range(_GROUP_LENGTH)) for _ in range(_GROUPS)
    )
    return "-".join(groups)


def _locked(user: User) -> User:
    return User.objects.select_for_update().get(pk=user.pk)


def _keep_an_admin(leaving: User) -> None:
    # Locking every admin's row makes two admins who demote each other wait for one another.
    admins = User.objects.select_for_update().filter(role=Role.ADMIN, is_active=True)
    if set(admins.order_by("pk").values_list("pk", flat=True)) <= {leaving.pk}:
        raise LastAdminError(f"{leaving} is the only admin. Make somebody else an admin first.")


def _switch(user: User, *, is_active: bool, by: User) -> None:
    user.is_active = is_active
    user.save(update_fields=["is_active"])
    what = "switched on" if is_active else "switched off"
    record(Verb.USER_CHANGED, by=by, user=user.email, what=what)
