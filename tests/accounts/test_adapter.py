"""How allauth behaves here; signing in itself is told in tests/web/test_sign_in.py."""

from __future__ import annotations

from django.test import RequestFactory

from canceldesk.accounts.adapter import DeskAccountAdapter, DeskMFAAdapter


def test_sign_up_is_closed_even_where_an_address_would_lead_to_it() -> None:
    request = RequestFactory().get("/account/signup/")
    assert DeskAccountAdapter(request).is_open_for_signup(request) is False


def test_a_second_steps_key_comes_back_from_its_seal() -> None:
    adapter = DeskMFAAdapter()
    sealed = adapter.encrypt("JBSWY3DPEHPK3PXP")
    assert "JBSWY3DPEHPK3PXP" not in sealed
    assert adapter.decrypt(sealed) == "JBSWY3DPEHPK3PXP"
