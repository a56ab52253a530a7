"""What the makers of the chaos share: the journal, the stage people act on, and who acts.

The stage owns processes, database, clock and faults; the crew are the people and the post; the
oracle judges afterwards from what is on the disk. Nothing here knows the product.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

MUST_BE_NONE = ("never filed", "not over for people")
ROLES = ("agent", "manager", "admin")


class Journal:
    """What the driver did, one JSON object a line, in the order it became known."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._file = path.open("a", encoding="utf-8")

    def write(self, who: str, what: str, **facts: Any) -> None:
        """Add an entry with the real time; `facts` must be JSON. Any thread may call it."""
        entry = {"at": dt.datetime.now(tz=dt.UTC).isoformat(), "who": who, "what": what, **facts}
        line = json.dumps(entry) + "\n"
        with self._lock:
            self._file.write(line)
            self._file.flush()

    def entries(self) -> list[dict[str, Any]]:
        """Everything written so far, oldest first."""
        with self.path.open(encoding="utf-8") as file:
            return [json.loads(line) for line in file]

    def close(self) -> None:
        """Write no more."""
        self._file.close()


@dataclass(frozen=True)
class Person:
    """Somebody of the staff, who signs in with `email` and `password`."""

    role: str
    name: str
    email: str
    password: str


@dataclass(frozen=True)
class SeededInvoice:
    """An open invoice as it was laid out; `amount_minor` in hundredths."""

    number: str
    amount_minor: int
    status: str
    subscription: str


@dataclass(frozen=True)
class SeededSubscription:
    """A subscription as it was laid out."""

    id: str
    plan: str
    amount_minor: int
    next_billing_at: str


@dataclass(frozen=True)
class SeededClient:
    """A Billsby customer as laid out. `kind` names what is special:

    `plain` one subscription, nothing owed; `several` two or three subscriptions, nothing owed;
    `owes` one unpaid invoice below an agent's limit; `owes_much` unpaid invoices that only a
    manager may write off; `pending` an invoice Billsby is just taking; `soon` charged within
    hours; `namesake` shares name (not phone) with the client before.
    """

    id: str
    first_name: str
    last_name: str
    email: str
    phone: str
    kind: str
    subscriptions: tuple[SeededSubscription, ...]
    invoices: tuple[SeededInvoice, ...] = ()

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}"


@dataclass
class Stage:
    """Where everything is. URLs have no slash at the end.

    `post_port` is the port of this machine on which the crew's post listens: the practice
    Billsby sends its webhooks there, and `hook_url` is where the desk takes them, with the header
    `Secret: webhook_secret`. `started_at` is the beginning of the run by the real clock, and
    `lasts_seconds` how long the busy part is meant to be (real seconds); plans are spread over it.
    """

    folder: Path
    seed: int
    database: str
    database_url: str
    pages_url: str
    billsby_url: str
    domain: str
    api_key: str
    webhook_secret: str
    post_port: int
    journal: Journal
    lasts_seconds: float
    agent_limit_minor: int
    people: list[Person] = field(default_factory=list)
    clients: list[SeededClient] = field(default_factory=list)

    @property
    def workbook(self) -> Path:
        """The shared workbook."""
        return self.folder / "list.xlsx"

    @property
    def desk_file(self) -> Path:
        """The desk's database when it is SQLite."""
        return self.folder / "data" / "canceldesk.sqlite3"

    @property
    def billsby_file(self) -> Path:
        """The practice Billsby's own books."""
        return self.folder / "billsby.sqlite3"

    @property
    def hook_url(self) -> str:
        """Where the desk takes webhooks."""
        return f"{self.pages_url}/hooks/billsby"

    @property
    def post_url(self) -> str:
        """Where the practice Billsby posts webhooks: the crew's post."""
        return f"http://127.0.0.1:{self.post_port}/post"

    @property
    def panel_url(self) -> str:
        """The control panel of the practice Billsby."""
        return f"{self.billsby_url}/panel"

    @property
    def practice_url(self) -> str:
        """What no Billsby has: clock, faults, history."""
        return f"{self.billsby_url}/_practice"

    @property
    def api_url(self) -> str:
        """The base of Billsby's API, without the company domain."""
        return f"{self.billsby_url}/api/v1/rest/core"

    def of_role(self, role: str) -> list[Person]:
        """The staff of one role."""
        return [person for person in self.people if person.role == role]

    def keep(self) -> None:
        """Write what the stage is beside the journal, for people and for the oracle."""
        told = {name: value for name, value in vars(self).items() if name != "journal"}
        told["people"] = [asdict(person) for person in self.people]
        told["clients"] = [asdict(client) for client in self.clients]
        text = json.dumps(told, default=str, indent=1)
        (self.folder / "stage.json").write_text(text, encoding="utf-8")


class Crew(Protocol):
    """The people and the post. Made by `tests.chaos.crew.recruit(stage, cases)`.

    Everything between `start` and `stop` happens in the crew's own threads; no method raises for
    what goes wrong outside (dead pages, dead Billsby): people try again.
    """

    def start(self) -> None:
        """Begin to file and to decide, by the plan, spread over `stage.lasts_seconds`."""
        ...

    def is_through(self) -> bool:
        """Whether everything of the plan that belongs to the busy part has been done."""
        ...

    def make_peace(self) -> None:
        """No more mischief by hand: the workbook is closed, webhooks are just passed on, nothing
        is late any more.
        """
        ...

    def settle(self) -> int:
        """One round of what people owe: missed decisions, approvals, clicks in the panel, rows
        to put right. Gives how many things were done; called again and again during peace.
        """
        ...

    def stop(self) -> None:
        """End all threads; close the post."""
        ...

    def figures(self) -> dict[str, int]:
        """How often each thing was done, for people who read; MUST_BE_NONE names those that may
        not have happened.
        """
        ...


class Recruit(Protocol):
    """How a crew is made: `recruit(stage, cases)`, seeded by `stage.seed`."""

    def __call__(self, stage: Stage, cases: int) -> Crew:
        """A crew that will file `cases` cases and does nothing yet."""
        ...
