"""Emptying the database after a transactional test. The log's guard would refuse it, and the
reasons that a migration put there would be gone for the tests that follow.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

import pytest
from django.apps import apps
from django.db import connection
from django.test import TransactionTestCase

guard = import_module("canceldesk.cases.migrations.0002_reasons_and_log_guard")


@contextmanager
def flush_as_migrated() -> Iterator[None]:
    """Inside, Django's flush leaves the database as the migrations do."""
    flush = vars(TransactionTestCase)["_fixture_teardown"]

    def flush_unguarded(self: TransactionTestCase) -> None:
        with connection.schema_editor() as editor:
            guard.unguard_log(apps, editor)
        try:
            flush(self)
        finally:
            with connection.schema_editor() as editor:
                guard.guard_log(apps, editor)
                guard.add_reasons(apps, editor)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", flush_unguarded)
        yield
