"""What is remembered against guessing where several processes serve pages."""

from __future__ import annotations

import pytest
from django.core.cache import cache, caches

from canceldesk.accounts.models import SignInMark
from tests.databases import on_postgresql

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not on_postgresql(), reason="On SQLite one process serves the pages."),
]


def test_it_is_kept_in_the_database() -> None:
    cache.set("attempts", [1.5], timeout=60)
    assert "attempts" in str(SignInMark.objects.get())


def test_many_others_push_out_what_has_run_out_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(caches["default"], "_max_entries", 2)
    for number in range(5):
        cache.set(f"in-force-{number}", "y", timeout=60)
        cache.set(f"run-out-{number}", "y", timeout=-60)
    cache.set("newest", "y", timeout=60)
    kept = set(SignInMark.objects.values_list("cache_key", flat=True))
    assert kept == {cache.make_key(f"in-force-{number}") for number in range(5)} | {
        cache.make_key("newest")
    }
