"""An engine of its own for every test, in a folder of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from dbos import WorkflowStatus
from django.conf import settings

from canceldesk.engine import place
from canceldesk.engine.queueing import PASSES


@pytest.fixture(autouse=True)
def engine_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A migrated, empty engine."""
    monkeypatch.setattr(settings, "DATA", tmp_path)
    place.client.cache_clear()
    place._sqlite.cache_clear()
    place.migrate()
    yield
    place._sqlite().dispose()
    place.client.cache_clear()
    place._sqlite.cache_clear()


def queued(queue: str = PASSES) -> list[WorkflowStatus]:
    """What waits in a queue, oldest first."""
    return place.client().list_workflows(status="ENQUEUED", queue_name=queue)


def cases_queued() -> list[int]:
    """The numbers of the cases that wait for a pass."""
    return [int(one.workflow_id.split("-")[1]) for one in queued()]
