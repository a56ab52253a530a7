"""A stage on which nothing runs, for the quick tests of the people."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.interfaces import Journal, Stage


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A stage of a folder and a journal."""
    journal = Journal(tmp_path / "journal.jsonl")
    yield Stage(
        folder=tmp_path,
        seed=5,
        database="sqlite",
        database_url="",
        pages_url="http://127.0.0.1",
        billsby_url="http://127.0.0.1",
        domain="acme",
        api_key="",
        webhook_secret="between-the-two",
        post_port=0,
        journal=journal,
        lasts_seconds=1.0,
        agent_limit_minor=10_000,
    )
    journal.close()
