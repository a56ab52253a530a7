"""The people who use the desk."""

from __future__ import annotations

import pytest
from django.db import IntegrityError

from canceldesk.accounts.models import Role, User

pytestmark = pytest.mark.django_db


def test_an_address_is_kept_in_small_letters_and_found_in_any() -> None:
    user = User.objects.create_user(" Ada@Example.COM ", "quiet-harbour-42", name="Ada")
    assert user.email == "ada@example.com"
    assert User.objects.get_by_natural_key(" ADA@example.com") == user


def test_the_database_itself_refuses_the_same_address_in_other_letters() -> None:
    User.objects.create_user("ada@example.com", name="Ada")
    with pytest.raises(IntegrityError):
        User(email="ADA@example.com", name="Another").save()


def test_without_a_password_nobody_signs_in() -> None:
    user = User.objects.create_user("ada@example.com", name="Ada")
    assert not user.has_usable_password()
    assert user.role == Role.AGENT


def test_nobody_is_nobody() -> None:
    with pytest.raises(User.DoesNotExist):
        User.objects.get_by_natural_key(None)


def test_a_user_is_called_by_name() -> None:
    assert str(User(name="Ada", email="ada@example.com")) == "Ada"
    assert str(User(email="ada@example.com")) == "ada@example.com"
