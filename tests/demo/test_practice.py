from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from canceldesk.demo import practice as practices
from canceldesk.demo.practice import CannotStartError, Practice
from tests.journeys.stack import free_port


def test_key_and_secret_are_made_once_and_shown_to_nobody(tmp_path: Path) -> None:
    first, second = Practice.below(tmp_path, 1), Practice.below(tmp_path, 2)

    assert (first.key, first.webhook_secret) == (second.key, second.webhook_secret)
    assert first.key.startswith("brightpath_")
    assert first.key not in repr(first)
    assert (tmp_path / "practice-secrets").stat().st_mode & 0o077 == 0


def test_stopping_what_never_started_is_no_error(tmp_path: Path) -> None:
    Practice.below(tmp_path, 1).stop()


@pytest.mark.loopback
def test_it_starts_as_a_process_of_its_own_and_ends(tmp_path: Path) -> None:
    practice = Practice.below(tmp_path, free_port())
    practice.start("http://127.0.0.1:9/hooks/billsby")
    try:
        practice.wait()
        practice.suspend("SUBMARA001")
        reply = httpx.get(
            f"{practice.api_url}/brightpath/subscriptions/SUBMARA001",
            headers={"ApiKey": practice.key},
            trust_env=False,
        )
        assert reply.json()["status"] == "Suspended"
    finally:
        practice.stop()

    with pytest.raises(httpx.ConnectError):
        httpx.get(practice.url, trust_env=False)


@pytest.mark.loopback
def test_one_that_does_not_answer_is_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(practices, "STARTS_WITHIN", 0.0)
    practice = Practice.below(tmp_path, free_port())
    practice.start("http://127.0.0.1:9/hooks/billsby")
    try:
        with pytest.raises(CannotStartError, match=r"billsby\.log"):
            practice.wait()
    finally:
        practice.stop()
