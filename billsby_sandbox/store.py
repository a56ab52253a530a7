"""One SQLite file holds the practice company; every change goes through one lock.

A transaction is committed before the reply that tells of it is sent, so nothing that was answered
is lost when the process is killed.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import sqlite3
import threading
import types
import typing
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

from billsby_sandbox import records, times

Value: typing.TypeAlias = str | int | float | bool | dt.datetime | None

TABLES: dict[type, str] = {
    records.Cycle: "cycle",
    records.Customer: "customer",
    records.Subscription: "subscription",
    records.Invoice: "invoice",
    records.PaymentLog: "payment_log",
    records.CreditNote: "credit_note",
    records.EventLog: "event_log",
    records.HistoryEntry: "history",
    records.Call: "call",
    records.Webhook: "webhook",
    records.Fault: "fault",
}

INDEXES = (
    "CREATE UNIQUE INDEX IF NOT EXISTS customer_uid ON customer(uid)",
    "CREATE UNIQUE INDEX IF NOT EXISTS subscription_uid ON subscription(uid)",
    "CREATE INDEX IF NOT EXISTS subscription_customer ON subscription(customer_uid)",
    "CREATE INDEX IF NOT EXISTS subscription_due ON subscription(next_billing_at, status)",
    "CREATE UNIQUE INDEX IF NOT EXISTS invoice_number ON invoice(number)",
    "CREATE INDEX IF NOT EXISTS invoice_customer ON invoice(customer_uid)",
    "CREATE INDEX IF NOT EXISTS invoice_subscription ON invoice(subscription_uid)",
    "CREATE INDEX IF NOT EXISTS invoice_due ON invoice(due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS invoice_status ON invoice(status)",
    "CREATE INDEX IF NOT EXISTS payment_log_invoice ON payment_log(invoice_number)",
    "CREATE UNIQUE INDEX IF NOT EXISTS credit_note_number ON credit_note(number)",
    "CREATE INDEX IF NOT EXISTS credit_note_customer ON credit_note(customer_uid)",
    "CREATE INDEX IF NOT EXISTS credit_note_due ON credit_note(due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS event_log_subscription ON event_log(subscription_uid)",
    "CREATE INDEX IF NOT EXISTS webhook_due ON webhook(state, next_try_at)",
)

Record = typing.TypeVar("Record")


@lru_cache
def _kinds(record: Hashable) -> dict[str, type]:
    """The plain type of each field, without the `| None`."""
    return {
        name: next(part for part in typing.get_args(hint) if part is not types.NoneType)
        if isinstance(hint, types.UnionType)
        else hint
        for name, hint in typing.get_type_hints(record).items()
    }


def _loaded(kind: type, value: typing.Any) -> typing.Any:  # noqa: ANN401 - any column
    if value is None:
        return None
    if kind is dt.datetime:
        return dt.datetime.fromisoformat(value)
    if kind is bool or issubclass(kind, StrEnum):
        return kind(value)
    return value


def _stored(value: Value) -> str | int | float | None:
    if isinstance(value, dt.datetime):
        return times.kept(value)
    if isinstance(value, StrEnum):
        return value.value
    return value


class Store:
    """The tables of `records`, and `setting`: small named texts."""

    def __init__(self, path: str | Path) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._connection.row_factory = sqlite3.Row
        self._connection.create_function("folded", 1, _folded, deterministic=True)
        self._connection.execute("PRAGMA journal_mode=WAL")
        # With WAL a killed process loses nothing at NORMAL; only a power cut could.
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.execute("PRAGMA busy_timeout=5000")
        self._lay_out()

    def _lay_out(self) -> None:
        with self.transaction():
            for record, table in TABLES.items():
                names = [field.name for field in dataclasses.fields(record) if field.name != "id"]
                self._connection.execute(
                    f"CREATE TABLE IF NOT EXISTS {table} "
                    f"(id INTEGER PRIMARY KEY AUTOINCREMENT, {', '.join(names)})"
                )
            for index in INDEXES:
                self._connection.execute(index)
            self._connection.execute(
                "CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL)"
            )

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the lock; commit at the end of the outermost block, undo everything on an error."""
        with self._lock:
            if self._depth == 0:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                if self._depth == 1:
                    self._connection.execute("ROLLBACK")
                raise
            else:
                if self._depth == 1:
                    self._connection.execute("COMMIT")
            finally:
                self._depth -= 1

    def add(self, record: type[Record], **values: Value) -> Record:
        """Insert one record and give it back with its id."""
        with self._lock:
            names = ", ".join(values)
            marks = ", ".join("?" * len(values))
            cursor = self._connection.execute(
                f"INSERT INTO {TABLES[record]} ({names}) VALUES ({marks})",  # noqa: S608
                [_stored(value) for value in values.values()],
            )
            return self.where(record, "id = ?", cursor.lastrowid)[0]

    def change(self, record: type[Record], id_: int, **values: Value) -> Record:
        """Set fields of one record and give it back as it now is."""
        with self._lock:
            sets = ", ".join(f"{name} = ?" for name in values)
            self._connection.execute(
                f"UPDATE {TABLES[record]} SET {sets} WHERE id = ?",  # noqa: S608
                [*(_stored(value) for value in values.values()), id_],
            )
            return self.where(record, "id = ?", id_)[0]

    def drop(self, record: type[Record], condition: str = "1", *values: Value) -> None:
        """Delete the records a condition picks."""
        with self._lock:
            self._connection.execute(
                f"DELETE FROM {TABLES[record]} WHERE {condition}",  # noqa: S608
                [_stored(value) for value in values],
            )

    def where(
        self, record: type[Record], condition: str = "1", *values: Value, tail: str = ""
    ) -> list[Record]:
        """The records a condition picks; `tail` may order and limit them (by id otherwise)."""
        with self._lock:
            rows = self._connection.execute(
                f"SELECT * FROM {TABLES[record]} WHERE {condition} "  # noqa: S608
                f"{tail or 'ORDER BY id'}",
                [_stored(value) for value in values],
            ).fetchall()
        kinds = _kinds(typing.cast(Hashable, record))
        return [
            record(**{name: _loaded(kind, row[name]) for name, kind in kinds.items()})
            for row in rows
        ]

    def number(self, query: str, *values: Value) -> int:
        """The single number a query gives; 0 for none."""
        with self._lock:
            row = self._connection.execute(query, [_stored(value) for value in values]).fetchone()
        return int(row[0] or 0)

    def setting(self, name: str) -> str | None:
        """A small named text, or None."""
        with self._lock:
            row = self._connection.execute(
                "SELECT value FROM setting WHERE name = ?", [name]
            ).fetchone()
        return None if row is None else str(row["value"])

    def set_setting(self, name: str, value: str) -> None:
        """Keep a small named text."""
        with self._lock:
            self._connection.execute(
                "INSERT INTO setting (name, value) VALUES (?, ?) "
                "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
                [name, value],
            )

    def empty(self) -> None:
        """Forget everything, settings included."""
        with self.transaction():
            for table in (*TABLES.values(), "setting", "sqlite_sequence"):
                self._connection.execute(f"DELETE FROM {table}")  # noqa: S608

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()


def _folded(text: str | None) -> str:
    return (text or "").casefold()
