"""What the practice Billsby's own books say, and what they said at any earlier moment."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.chaos.oracle import databases, values
from tests.chaos.oracle.databases import Row
from tests.chaos.oracle.violation import UnreadableError

API, PANEL, BILLING = "api", "panel", "billing"
STOPPED = ("Suspended", "Cancelled")
ASKS_FOR_MONEY = ("Pending", "Unpaid", "ToBeWrittenOff")
COLLECTED = ("Paid", "PaidOffline")
LEAP = dt.timedelta(days=20)
WRITTEN_OFF = "invoice written off"


@dataclass(frozen=True)
class Event:
    """One line of Billsby's history; `offset` is how far its clock was ahead of the real time."""

    id: int
    at: dt.datetime
    who: str
    what: str
    subject: str
    before: Row
    after: Row
    offset: dt.timedelta

    def __str__(self) -> str:
        changes = [
            f"{name} {self.before.get(name)} → {value}"
            for name, value in self.after.items()
            if self.before and self.before.get(name) != value
        ]
        told = ", ".join(changes) or ", ".join(f"{k} {v}" for k, v in self.after.items())
        return (
            f"Billsby {self.id} {self.at.isoformat()} {self.who} {self.what} {self.subject}: {told}"
        )

    @property
    def real_at(self) -> dt.datetime:
        """When it happened by the real clock; wrong for billing, which dates things as due."""
        return self.at - self.offset

    @property
    def is_dated_exactly(self) -> bool:
        """Whether `at` is when it happened."""
        return self.who in {API, PANEL} or self.what == "clock moved"

    def day(self, which: Row) -> dt.date:
        """The next billing date before or after."""
        return values.certain(which["next_billing_at"]).date()


@dataclass(frozen=True)
class Call:
    """One call of the API, dated when it was answered; `answer` is 0 where it never was."""

    id: int
    at: dt.datetime
    method: str
    path: str
    answer: int
    fault: str
    real_at: dt.datetime

    def __str__(self) -> str:
        how = f"{self.answer or 'no answer'}{f' ({self.fault})' if self.fault else ''}"
        return f"call {self.id} {self.at.isoformat()} {self.method} {self.path}: {how}"


class Billsby:
    """The books. Everything is read once, when it is first asked for."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def rows(self, query: str) -> list[Row]:
        """What a query gives. Raises UnreadableError."""
        return databases.rows_of_file(self._file, query)

    @cached_property
    def history(self) -> list[Event]:
        """Everything that happened, in order. Raises UnreadableError when nothing did."""
        found, offset = [], dt.timedelta(0)
        for row in self.rows("SELECT * FROM history ORDER BY id"):
            before, after = values.parsed(row["before"]), values.parsed(row["after"])
            if row["what"] == "clock moved":
                offset = dt.timedelta(seconds=after["offset_seconds"])
            at = values.certain(row["at"])
            event = (row["id"], at, row["who"], row["what"], row["subject"], before, after, offset)
            found.append(Event(*event))
        if not found:
            raise UnreadableError(f"The history in {self._file.name} is empty.")
        return found

    def events(self, subject: str) -> list[Event]:
        """What happened to one thing, in order."""
        return self._by_subject.get(subject, [])

    @cached_property
    def _by_subject(self) -> dict[str, list[Event]]:
        found: dict[str, list[Event]] = {}
        for event in self.history:
            found.setdefault(event.subject, []).append(event)
        return found

    def of_kind(self, what: str, *who: str) -> Iterator[Event]:
        """The events of one kind by some actors, in order."""
        return (e for e in self.history if e.what == what and e.who in who)

    @cached_property
    def customers(self) -> dict[str, Row]:
        """Customers by id."""
        return {row["uid"]: row for row in self.rows("SELECT * FROM customer ORDER BY id")}

    @cached_property
    def subscriptions(self) -> dict[str, Row]:
        """Subscriptions by id."""
        return {row["uid"]: row for row in self.rows("SELECT * FROM subscription ORDER BY id")}

    @cached_property
    def invoices(self) -> dict[str, Row]:
        """Invoices by number."""
        return {row["number"]: row for row in self.rows("SELECT * FROM invoice ORDER BY id")}

    @cached_property
    def credit_notes(self) -> dict[str, Row]:
        """Credit notes by number."""
        return {row["number"]: row for row in self.rows("SELECT * FROM credit_note ORDER BY id")}

    def subscriptions_of(self, customer: str) -> list[str]:
        """The ids of a customer's subscriptions."""
        return [uid for uid, row in self.subscriptions.items() if row["customer_uid"] == customer]

    def invoices_of(self, subscription: str) -> list[Row]:
        """The invoices that name a subscription, as they are now."""
        return self._invoices_by_subscription.get(subscription, [])

    def one_time_invoices_of(self, customer: str) -> list[Row]:
        """A customer's invoices that name no subscription, as they are now."""
        return [row for row in self.invoices_of("") if row["customer_uid"] == customer]

    @cached_property
    def _invoices_by_subscription(self) -> dict[str, list[Row]]:
        found: dict[str, list[Row]] = {}
        for row in self.invoices.values():
            found.setdefault(row["subscription_uid"] or "", []).append(row)
        return found

    @cached_property
    def calls_about_invoices(self) -> list[Call]:
        """The calls that arrived and were recorded, in the order of their answers. One during which
        Billsby was killed is not among them, although it may have been carried out.
        """
        moves = [event for event in self.history if event.what == "clock moved"]
        moved_at = [event.at for event in moves]
        found = []
        query = "SELECT id, at, method, path, answer, fault FROM call WHERE path LIKE '%invoices%'"
        for row in self.rows(f"{query} ORDER BY id"):
            at = values.certain(row.pop("at"))
            place = bisect_right(moved_at, at)
            offset = moves[place - 1].offset if place else dt.timedelta(0)
            found.append(Call(**row, at=at, real_at=at - offset))
        return found

    # what was known when

    def last_before(self, real: dt.datetime) -> int:
        """The id of the last event that certainly lay before a real moment; what the books were
        filled with lay before everything.
        """
        times, ids = self._exact
        place = bisect_right(times, real)
        return ids[place - 1] if place else self.filled

    @cached_property
    def filled(self) -> int:
        """The id of the last event by which the books were filled before the run: the desk had
        done nothing yet.
        """
        first = next((event.id for event in self.history if event.who == API), None)
        return first - 1 if first else self.history[-1].id

    def not_before(self, event: Event) -> dt.datetime:
        """A real moment before which an event certainly did not happen, however it is dated."""
        times, ids = self._exact
        place = bisect_right(ids, event.id)
        return times[place - 1] if place else values.LONG_AGO

    def first_after(self, real: dt.datetime) -> int:
        """The id of the first event that certainly came after a real moment, or of none yet."""
        times, ids = self._exact
        place = bisect_right(times, real)
        return ids[place] if place < len(ids) else self.history[-1].id + 1

    @cached_property
    def _exact(self) -> tuple[list[dt.datetime], list[int]]:
        exact = [e for e in self.history if e.is_dated_exactly and e.id > self.filled]
        times: list[dt.datetime] = []
        for event in exact:
            times.append(max(event.real_at, times[-1]) if times else event.real_at)
        return times, [event.id for event in exact]

    def as_of(self, subject: str, now: Row | None, event_id: int) -> Row | None:
        """A record as it stood right after an event; None when it did not exist yet."""
        events = self.events(subject)
        if not events:
            return now
        known = [event for event in events if event.id <= event_id]
        return known[-1].after if known else events[0].before or None

    def versions(self, subject: str, now: Row, first: int, last: int) -> list[Row]:
        """What a record was at any time between two events."""
        changes = [e.id for e in self.events(subject) if first < e.id < last]
        found = (self.as_of(subject, now, event_id) for event_id in [first, *changes])
        return [version for version in found if version is not None]

    def collected(self, customer: str, first: int, last: int) -> set[int]:
        """What a customer had paid less what was given back, at any time between two events."""
        paid = [n for n, row in self.invoices.items() if row["customer_uid"] == customer]
        back = [n for n, row in self.credit_notes.items() if row["customer_uid"] == customer]
        moments = {first}
        for number in (*paid, *back):
            moments |= {e.id for e in self.events(number) if first < e.id < last}
        return {self._collected_at(paid, back, moment) for moment in moments}

    def _collected_at(self, paid: list[str], back: list[str], event_id: int) -> int:
        total = 0
        for number in paid:
            invoice = self.as_of(number, self.invoices[number], event_id)
            if invoice and invoice["status"] in COLLECTED:
                total += invoice["amount"]
        for number in back:
            note = self.as_of(number, self.credit_notes[number], event_id)
            if note and note["status"] != "Failed":
                total -= note["amount"]
        return total

    @cached_property
    def leap(self) -> int:
        """The id of the event by which Billsby's clock was first pushed past a billing date; what
        is billed after it happened to services that had long been settled.
        """
        before = dt.timedelta(0)
        for event in self.history:
            if event.offset - before >= LEAP:
                return event.id
            before = event.offset
        return self.history[-1].id + 1

    def was_read_stale(self, customer: str) -> bool:
        """Whether the API ever answered with things as they had been, about this customer."""
        return any(customer in path for path in self._stale_paths)

    @cached_property
    def _stale_paths(self) -> list[str]:
        return [row["path"] for row in self.rows("SELECT path FROM call WHERE fault = 'stale'")]


def stands(record: dict[str, Any]) -> str:
    """A subscription's record in a few words."""
    return f"{record['uid']}: {record['status']}, next billing {record['next_billing_at']}"
