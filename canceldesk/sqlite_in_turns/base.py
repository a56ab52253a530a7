"""SQLite, for whose lock only one thread of a process asks at a time.

SQLite lets one transaction write, and whoever finds the lock taken sleeps for ever longer moments
and is woken by nobody: with eight passes at once the file lies idle while all of them sleep. So the
threads of a process take turns before they ask SQLite; other processes meet them there as ever.
"""

from __future__ import annotations

import threading

from django.db import OperationalError
from django.db.backends.sqlite3 import base

_turn = threading.Lock()
_PATIENCE = 5.0
"""Seconds, as sqlite3's own, where the settings say nothing."""


class DatabaseWrapper(base.DatabaseWrapper):
    """A connection to the desk's SQLite file."""

    _has_turn = False

    def _start_transaction_under_autocommit(self) -> None:
        patience = self.settings_dict["OPTIONS"].get("timeout", _PATIENCE)
        if not _turn.acquire(timeout=patience):
            raise OperationalError("database is locked")
        self._has_turn = True
        try:
            super()._start_transaction_under_autocommit()  # type: ignore[misc]
        except BaseException:
            self._end_turn()
            raise

    def _commit(self) -> None:
        try:
            super()._commit()  # type: ignore[misc]
        finally:
            self._end_turn()

    def _rollback(self) -> None:
        try:
            super()._rollback()  # type: ignore[misc]
        finally:
            self._end_turn()

    def _close(self) -> None:
        try:
            super()._close()  # type: ignore[misc]
        finally:
            self._end_turn()

    def _end_turn(self) -> None:
        if self._has_turn:
            self._has_turn = False
            _turn.release()
