"""Keeping secrets unreadable in the database."""

from __future__ import annotations

import pytest
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from canceldesk.configuration.sealing import CannotOpenError, open_sealed, seal


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200))
def test_what_was_sealed_comes_back_as_it_was(plain: str) -> None:
    assert open_sealed(seal(plain)) == plain


def test_the_same_secret_looks_different_each_time() -> None:
    assert seal("hush") != seal("hush")


def test_another_secret_key_opens_nothing() -> None:
    sealed = seal("hush")
    with override_settings(SECRET_KEY="another"), pytest.raises(CannotOpenError):
        open_sealed(sealed)


def test_damage_is_noticed() -> None:
    with pytest.raises(CannotOpenError):
        open_sealed(seal("hush")[:-4] + "AAAA")
