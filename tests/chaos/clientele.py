"""Clients as real books have them: awkward names, shared phones, long and broken histories."""

from __future__ import annotations

import random
from dataclasses import dataclass

FIRST_NAMES = (
    "Ada", "Bela", "Chidi", "Dora", "Emil", "Fatma", "Goran", "Hedy", "Ivo", "June", "Kofi",
    "Lena", "Milo", "Nadia", "Otis", "Pia", "Rafa", "Sana", "Tove", "Uma", "Vito", "Wanda",
)  # fmt: skip
LAST_NAMES = (
    "Abara", "Bellweather", "Corvin", "Dunmore", "Eskola", "Farrow", "Grieve", "Holloway",
    "Ibsen", "Jansky", "Kestrel", "Lomax", "Marlow", "Nyberg", "Orlov", "Penhale", "Quist",
    "Ravel", "Sorrel", "Tansley", "Umber", "Voss", "Winterbourne", "Yarrow",
)  # fmt: skip
AWKWARD_NAMES = (
    ("Zoë", "Müller-Größling"),
    ("Seán", "O'Brien"),
    ("Bob", '"Bobby" Tables'),
    ("=HYPERLINK(1)", "Formula"),
    ("+Plus", "@At"),
    ("<b>Bold</b>", "A&B"),
    ("小龍", "李"),
    ("Łukasz", "Żółć"),
    ("ANNA", "lower"),
    ("Mary  Jane", "Two Spaces"),
    ("Ἀλέξανδρος", "Παππάς"),
    ("José", "José"),  # the same twice to a reader: composed, and letter by letter
    ("Wolfeschlegelsteinhausen", "Bergerdorff-Welche-Vor-Altern-Waren-Gewissenhaft"),
    ("100%", "_under_"),
    ("🌻", "Sunny"),
    ("-1", "Minus"),
    ("Cher", ""),
)
PHONE_FORMS: tuple[tuple[str | None, str | None, str | None], ...] = (
    ("{area}555{number}", "1", "USA"),
    ("({area}) 555-{number}", "1", "USA"),
    ("{area}.555.{number}", "1", "US"),
    ("+1 {area} 555 {number}", None, None),
    ("1{area}555{number}", "1", "USA"),
    ("ask reception", None, None),
    (None, None, None),
)
"""The number, the dial code and the country as the books have them."""
PLANS = {"Coaching Basic": 4900, "Coaching Standard": 9900, "Coaching Premium": 14900}
CHEAP, STANDARD, DEAR = PLANS
MONTH = 30.4
"""Days."""
LARGEST_OTHER = 30.0


@dataclass(frozen=True)
class PlannedInvoice:
    """An invoice of the past, `amount` in hundredths, with Billsby's word for its status.

    `of` is the place of the subscription it is for, None for a one-time charge; `refunded` is
    what was given back of it.
    """

    amount: int
    status: str
    days_ago: float
    of: int | None = 0
    refunded: int = 0


@dataclass(frozen=True)
class PlannedSubscription:
    """A subscription: `days_old`, billed next in `next_in_days`."""

    id: str
    plan: str
    days_old: float
    next_in_days: float
    status: str = "Active"

    @property
    def amount(self) -> int:
        """What it costs a month, in hundredths."""
        return PLANS[self.plan]


@dataclass(frozen=True)
class PlannedClient:
    """A customer of Billsby's. `kind` is the story that is planned for them."""

    id: str
    first_name: str
    last_name: str
    email: str
    phone: str | None
    dial_code: str | None
    dial_country: str | None
    card_good: bool
    kind: str
    subscriptions: tuple[PlannedSubscription, ...]
    invoices: tuple[PlannedInvoice, ...]

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True)
class Wanted:
    """What a story needs of its client.

    `owes`: nothing, little (an agent may approve it), much (only a manager), pending, scheduled
    (to be written off), one_time, other (only for a service that stays). `first` is the status of
    the first subscription, `soon` whether it is charged within a day.
    """

    services: int = 1
    owes: str = "nothing"
    first: str = "Active"
    soon: bool = False


class Clientele:
    """Makes clients one after another; the same `rng` makes the same."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._made: list[PlannedClient] = []

    def make(self, kind: str, wanted: Wanted) -> PlannedClient:
        """One more client."""
        number = len(self._made) + 1
        first, last = self._name()
        phone, dial_code, dial_country = self._phone()
        services = tuple(self._service(number, place, wanted) for place in range(wanted.services))
        made = PlannedClient(
            id=f"CHAOS{number:05d}",
            first_name=first,
            last_name=last,
            email=f"client{number}@example.com",
            phone=phone,
            dial_code=dial_code,
            dial_country=dial_country,
            card_good=wanted.owes in {"nothing", "pending", "other"},
            kind=kind,
            subscriptions=services,
            invoices=(*self._paid(services), *self._owed(services, wanted.owes)),
        )
        self._made.append(made)
        return made

    def twin(self, of: PlannedClient) -> PlannedClient:
        """Somebody nobody can tell from another client by name, phone and history."""
        number = len(self._made) + 1
        services = tuple(
            PlannedSubscription(
                f"CHSUB{number:04d}{place}", one.plan, one.days_old, one.next_in_days, one.status
            )
            for place, one in enumerate(of.subscriptions)
        )
        changed = {
            "id": f"CHAOS{number:05d}",
            "email": f"client{number}@example.com",
            "subscriptions": services,
        }
        made = PlannedClient(**{**vars(of), **changed})
        self._made.append(made)
        return made

    def _name(self) -> tuple[str, str]:
        rng, luck = self._rng, self._rng.random()
        if luck < 0.12:
            return rng.choice(AWKWARD_NAMES)
        if luck < 0.2 and self._made:
            other = rng.choice(self._made)
            return other.first_name, other.last_name
        return rng.choice(FIRST_NAMES), rng.choice(LAST_NAMES)

    def _phone(self) -> tuple[str | None, str | None, str | None]:
        rng = self._rng
        if self._made and rng.random() < 0.05:
            other = rng.choice(self._made)
            return other.phone, other.dial_code, other.dial_country
        form, dial_code, dial_country = rng.choices(PHONE_FORMS, weights=(6, 6, 4, 4, 4, 1, 1))[0]
        area = rng.choice(("206", "312", "404", "512", "617", "702"))
        phone = form.format(area=area, number=f"01{rng.randint(0, 99):02d}") if form else None
        return phone, dial_code, dial_country

    def _service(self, number: int, place: int, wanted: Wanted) -> PlannedSubscription:
        rng = self._rng
        status = wanted.first if place == 0 else "Active"
        is_soon = wanted.soon and place == 0
        # Nothing is billed while things break; what is due in the days off after it is to be held.
        coming = rng.uniform(0.6, 1.4) if is_soon else rng.uniform(2, 28)
        old = rng.uniform(2, 20) if status == "InTrial" else rng.uniform(20, 14 * MONTH)
        plan = rng.choice(tuple(PLANS))
        if place == 0 and wanted.owes in {"little", "scheduled"}:
            plan = rng.choice((CHEAP, STANDARD))
        if place == 0 and wanted.owes == "much":
            plan = DEAR
        return PlannedSubscription(f"CHSUB{number:04d}{place}", plan, old, coming, status)

    def _paid(self, services: tuple[PlannedSubscription, ...]) -> list[PlannedInvoice]:
        rng, paid = self._rng, []
        # Billsby refunds nothing while a service is paused (billsby.md 1.4).
        can_refund = all(one.status != "Paused" for one in services)
        for place, one in enumerate(services):
            if one.status == "InTrial":
                continue
            months = min(rng.randint(1, 6), max(1, int(one.days_old / MONTH)))
            for month in range(months):
                status = "PaidOffline" if rng.random() < 0.08 else "Paid"
                gives_back = can_refund and status == "Paid" and rng.random() < 0.06
                refunded = rng.choice((one.amount, one.amount // 3)) if gives_back else 0
                days_ago = max(1.0, one.days_old - month * MONTH)
                paid.append(PlannedInvoice(one.amount, status, days_ago, place, refunded))
        if rng.random() < 0.1:
            paid.append(PlannedInvoice(rng.randint(500, 3000), "Paid", LARGEST_OTHER, None))
        return paid

    def _owed(self, services: tuple[PlannedSubscription, ...], owes: str) -> list[PlannedInvoice]:
        rng, first, last = self._rng, services[0].amount, len(services) - 1
        months = rng.randint(1, 3)
        asked = {
            "nothing": [],
            "little": [PlannedInvoice(first, "Unpaid", 9)],
            "much": [PlannedInvoice(first, "Unpaid", 5 + n * MONTH) for n in range(months)],
            "pending": [PlannedInvoice(first, "Pending", 0.2, None)],
            "scheduled": [PlannedInvoice(first, "ToBeWrittenOff", 15)],
            "one_time": [PlannedInvoice(rng.randint(1000, 9000), "Unpaid", 12, None)],
            "other": [PlannedInvoice(services[last].amount, "Unpaid", 6, last)],
        }
        return asked[owes]
