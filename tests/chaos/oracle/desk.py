"""What the desk's own database says, read by SQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from tests.chaos.oracle import databases, values
from tests.chaos.oracle.databases import Row

OPEN = ("new", "retention", "closing")
STOPS = ("closing", "closed")
STAYS = ("retained", "withdrawn")
NUMBER_LENGTH = 5


def number_of(case_id: int) -> str:
    """What people call a case."""
    return f"C-{case_id:0{NUMBER_LENGTH}d}"


@dataclass(frozen=True)
class Case:
    """A case; `client` and `scope` are Billsby's ids."""

    id: int
    client: str
    state: str
    wish: str
    decision: str
    reason: str
    words: str
    token: str
    waits_for: str
    sentence: str
    next_pass_at: dt.datetime | None
    lease_owner: str
    lease_until: dt.datetime | None
    scope: tuple[str, ...]

    @property
    def number(self) -> str:
        """What people call it."""
        return number_of(self.id)

    @property
    def is_open(self) -> bool:
        """Whether it has not come to its end."""
        return self.state in OPEN

    @property
    def waits_for_person(self) -> bool:
        """Whether it says that a person must act."""
        return self.waits_for == "person"

    def __str__(self) -> str:
        return (
            f"case {self.number}: {self.state}, decision {self.decision or 'none'}, waits for "
            f'{self.waits_for}, "{self.sentence}"'
        )


@dataclass(frozen=True)
class Entry:
    """One entry of the log; `by` is a user's key, None for the desk itself."""

    id: int
    at: dt.datetime
    verb: str
    by: int | None
    case: int | None
    data: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"log {self.id} {self.at.isoformat()} {self.verb} {self.data}"

    def text(self, name: str) -> str:
        """A value of the data as text, "" when there is none."""
        return str(self.data.get(name) or "")


@dataclass(frozen=True)
class User:
    """Somebody of the staff."""

    id: int
    email: str
    role: str

    @property
    def manages(self) -> bool:
        """Whether what belongs to managers is theirs to do."""
        return self.role in {"manager", "admin"}


@dataclass(frozen=True)
class Approval:
    """A person's word that an invoice may be written off."""

    id: int
    case: int
    invoice: str
    amount_minor: int
    by: int
    at: dt.datetime

    def __str__(self) -> str:
        return (
            f"approval {self.id}: {self.invoice} up to {values.money(self.amount_minor)} by user "
            f"{self.by}, {self.at.isoformat()}"
        )


@dataclass(frozen=True)
class Hold:
    """What the desk says it holds."""

    case: int
    subscription: str
    state: str


@dataclass(frozen=True)
class Intent:
    """What the desk says it is about to do outside."""

    case: int
    kind: str
    target: str
    state: str


class Desk:
    """The desk's records. Everything is read once, when it is first asked for."""

    def __init__(self, file: Path, url: str = "") -> None:
        self._file, self._url = file, url

    def rows(self, query: str) -> list[Row]:
        """What a query gives. Raises UnreadableError."""
        if self._url:
            return databases.rows_at_url(self._url, query)
        return databases.rows_of_file(self._file, query)

    @cached_property
    def cases(self) -> dict[int, Case]:
        """All cases by their key."""
        scopes: dict[int, list[str]] = {}
        for row in self.rows(_SCOPES):
            scopes.setdefault(row["case_id"], []).append(row["billsby_id"])
        return {row["id"]: _case(row, scopes.get(row["id"], [])) for row in self.rows(_CASES)}

    @cached_property
    def log(self) -> list[Entry]:
        """The log in the order of its ids."""
        return [entry_of(row) for row in self.rows(LOG)]

    def story(self, case_id: int) -> list[Entry]:
        """A case's entries in order."""
        return self._stories.get(case_id, [])

    @cached_property
    def _stories(self) -> dict[int, list[Entry]]:
        found: dict[int, list[Entry]] = {}
        for entry in self.log:
            if entry.case is not None:
                found.setdefault(entry.case, []).append(entry)
        return found

    @cached_property
    def users(self) -> dict[int, User]:
        """The staff by their key."""
        found = self.rows("SELECT id, email, role FROM accounts_user")
        return {row["id"]: User(row["id"], row["email"], row["role"]) for row in found}

    def manages(self, user_id: int | None) -> bool:
        """Whether a user is a manager or an admin."""
        return user_id is not None and user_id in self.users and self.users[user_id].manages

    @cached_property
    def approvals(self) -> list[Approval]:
        """The approvals in the order they were given."""
        return [
            Approval(
                row["id"],
                row["case_id"],
                row["invoice_number"],
                row["amount_minor"],
                row["by_id"],
                values.certain(row["at"]),
            )
            for row in self.rows("SELECT * FROM closing_writeoffapproval ORDER BY id")
        ]

    @cached_property
    def holds(self) -> list[Hold]:
        """What is or was held."""
        return [Hold(row["case_id"], row["billsby_id"], row["state"]) for row in self.rows(_HOLDS)]

    @cached_property
    def intents(self) -> list[Intent]:
        """What was about to be done outside."""
        query = "SELECT case_id, kind, target, state FROM closing_intent ORDER BY id"
        return [
            Intent(row["case_id"], row["kind"], row["target"], row["state"])
            for row in self.rows(query)
        ]

    def cases_of(self, subscription: str) -> list[Case]:
        """The cases that have a subscription in their scope, oldest first."""
        return self._by_subscription.get(subscription, [])

    @cached_property
    def _by_subscription(self) -> dict[str, list[Case]]:
        found: dict[str, list[Case]] = {}
        for case in self.cases.values():
            for subscription in case.scope:
                found.setdefault(subscription, []).append(case)
        return found


_CASES = """
    SELECT cases_case.id, clients_client.billsby_id AS client, state, wish, decision,
           cases_reason.label AS reason, reason_words, form_token, waits_for, waits_sentence,
           next_pass_at, lease_owner, lease_until
    FROM cases_case
    JOIN clients_client ON clients_client.id = cases_case.client_id
    JOIN cases_reason ON cases_reason.id = cases_case.reason_id
    ORDER BY cases_case.id
"""
_SCOPES = """
    SELECT case_id, clients_subscription.billsby_id
    FROM cases_casesubscription
    JOIN clients_subscription ON clients_subscription.id = subscription_id
    ORDER BY cases_casesubscription.id
"""
_HOLDS = """
    SELECT case_id, clients_subscription.billsby_id, closing_hold.state
    FROM closing_hold
    JOIN cases_casesubscription ON cases_casesubscription.id = scope_id
    JOIN clients_subscription ON clients_subscription.id = subscription_id
    ORDER BY closing_hold.id
"""
LOG = "SELECT id, at, verb, by_id, case_id, client_id, data FROM cases_logentry ORDER BY id"


def entry_of(row: Row) -> Entry:
    """A row of the log, from the database or from a copy."""
    return Entry(
        row["id"],
        values.certain(row["at"]),
        row["verb"],
        row["by_id"],
        row["case_id"],
        values.parsed(row["data"]),
    )


def _case(row: Row, scope: Iterable[str]) -> Case:
    return Case(
        id=row["id"],
        client=row["client"],
        state=row["state"],
        wish=row["wish"],
        decision=row["decision"],
        reason=row["reason"],
        words=row["reason_words"],
        token=row["form_token"] or "",
        waits_for=row["waits_for"],
        sentence=row["waits_sentence"],
        next_pass_at=values.moment(row["next_pass_at"]),
        lease_owner=row["lease_owner"],
        lease_until=values.moment(row["lease_until"]),
        scope=tuple(scope),
    )
