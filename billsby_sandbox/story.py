"""How lives become books: each client's past is laid out moment by moment, with billing between."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from dateutil.relativedelta import relativedelta

from billsby_sandbox import billing, changes, intake
from billsby_sandbox.books import Books
from billsby_sandbox.names import PHONE_FORMS, STREETS, TOWNS
from billsby_sandbox.records import Cycle, Invoice, Subscription
from billsby_sandbox.words import Actor, InvoiceKind, InvoiceStatus, SubscriptionStatus

BANK_DEBIT_DAYS = 14
WRITE_OFF_IN_DAYS = 6

PLANS = {
    "basic": ("Credit Repair Basic", 7900, 1, "Monthly"),
    "standard": ("Credit Repair Standard", 9900, 1, "Monthly"),
    "premium": ("Credit Repair Premium", 14900, 1, "Monthly"),
    "business": ("Business Credit Builder", 19900, 1, "Monthly"),
    "monitoring": ("Credit Monitoring", 4900, 1, "Monthly"),
    "quarterly": ("Coaching Circle", 24900, 3, "Monthly"),
    "weekly": ("Weekly Check-in", 2900, 1, "Weekly"),
}


@dataclass(frozen=True)
class Life:
    """What is to become of one client, counted back from the present.

    `cycle` and `second_cycle` are keys of PLANS; `months` in the programme; `bad_card_renewals`
    counts the latest renewals that failed; `ending` is a status the first subscription is given
    `ended_days_ago`.
    """

    first_name: str
    last_name: str
    cycle: str
    months: int
    next_in_days: float
    uid: str | None = None
    subscription_uid: str | None = None
    bad_card_renewals: int = 0
    pending: bool = False
    scheduled_write_off: bool = False
    paid_offline: bool = False
    refunded: bool = False
    trial: bool = False
    ending: SubscriptionStatus | None = None
    ended_days_ago: int = 0
    second_cycle: str | None = None


class Story:
    """Lays out lives moment by moment, letting billing run in between."""

    def __init__(self, books: Books, rng: random.Random, lives: Iterable[Life]) -> None:
        self._lives = lives
        self._books = books
        self._rng = rng
        self._present = books.now()
        self._cycles: dict[str, Cycle] = {}
        self._moments: list[tuple[dt.datetime, Callable[[], object]]] = []

    def tell(self) -> None:
        """Write everything down."""
        for key, (name, amount, frequency, unit) in PLANS.items():
            self._cycles[key] = intake.add_cycle(
                self._books,
                plan_name=name,
                amount=amount,
                frequency=frequency,
                unit=unit,
                product_name="Brightpath Program",
                currency="USD",
            )
        for life in self._lives:
            uid = life.uid or self._books.unique_id("customer")
            self._plan(replace(life, uid=uid))
        self._moments.sort(key=lambda moment: moment[0])
        for at, action in self._moments:
            with self._books.laying_out(at):
                billing.run(self._books, at)
                action()
        with self._books.laying_out(self._present):
            billing.run(self._books, self._present)

    def _plan(self, life: Life) -> None:
        upcoming = self._present + dt.timedelta(days=life.next_in_days)
        start = _start(upcoming, life.months, PLANS[life.cycle])
        if life.trial:
            start = self._present - dt.timedelta(days=self._rng.randint(1, 6))
        self._moments.append((start, lambda: self._join(life, start, upcoming)))
        if life.bad_card_renewals:
            self._card(life, upcoming - relativedelta(months=life.bad_card_renewals), good=False)
        if life.paid_offline:
            self._pay_offline_once(life, upcoming - relativedelta(months=2))
        if life.refunded:
            self._at(upcoming - relativedelta(months=1) + dt.timedelta(days=2), life, self._refund)
        if life.ending:
            ended = self._present - dt.timedelta(days=life.ended_days_ago)
            self._at(ended, life, lambda subscription: self._end(life, subscription))
        if life.pending:
            self._at(self._present, life, self._debit_bank)
        if life.scheduled_write_off:
            self._at(self._present, life, self._schedule_write_off)

    def _at(self, at: dt.datetime, life: Life, action: Callable[[Subscription], object]) -> None:
        moment = min(at, self._present)
        self._moments.append((moment, lambda: action(self._first_subscription(life))))

    def _first_subscription(self, life: Life) -> Subscription:
        return self._books.subscriptions_of(_uid(life))[0]

    def _join(self, life: Life, start: dt.datetime, upcoming: dt.datetime) -> None:
        phone, dial_code, dial_country = self._phone()
        town, state, post_code = self._rng.choice(TOWNS)
        customer = intake.add_customer(
            self._books,
            Actor.PRACTICE,
            first_name=life.first_name,
            last_name=life.last_name,
            email=self._email(life),
            phone_number=phone,
            dial_code=dial_code,
            dial_country=dial_country,
            address={
                "addressLine1": f"{self._rng.randint(2, 980)} {self._rng.choice(STREETS)}",
                "addressLine2": None,
                "city": town,
                "state": state,
                "country": "USA",
                "postCode": post_code,
            },
            card_good=True,
            created_at=start,
            uid=life.uid,
        )
        intake.add_subscription(
            self._books,
            Actor.PRACTICE,
            customer,
            self._cycles[life.cycle],
            created_at=start,
            status=SubscriptionStatus.IN_TRIAL if life.trial else SubscriptionStatus.ACTIVE,
            next_billing_at=upcoming if life.trial else None,
            uid=life.subscription_uid,
            anchor_day=upcoming.day,
        )
        if life.second_cycle:
            intake.add_subscription(
                self._books,
                Actor.PRACTICE,
                customer,
                self._cycles[life.second_cycle],
                created_at=start,
                anchor_day=upcoming.day,
            )

    def _email(self, life: Life) -> str:
        name = f"{life.first_name}.{life.last_name}".lower()
        taken = self._books.store.number(
            "SELECT COUNT(*) FROM customer WHERE email LIKE ?", f"{name}%"
        )
        return f"{name}{taken + 1 if taken else ''}@example.com"

    def _phone(self) -> tuple[str | None, str | None, str | None]:
        area = self._rng.choice(("206", "312", "404", "512", "617", "702"))
        number = f"01{self._rng.randint(0, 99):02d}"
        form, dial_code, dial_country = self._rng.choice(PHONE_FORMS)
        return form.format(area=area, number=number) or None, dial_code, dial_country

    def _card(self, life: Life, before: dt.datetime, *, good: bool) -> None:
        def change() -> None:
            customer = self._books.customer(_uid(life))
            self._books.amend(
                Actor.PRACTICE,
                "card changed",
                customer,
                self._books.now(),
                card_good=good,
                card_last4=intake.GOOD_CARD if good else intake.BAD_CARD,
            )

        self._moments.append((before - dt.timedelta(hours=12), change))

    def _pay_offline_once(self, life: Life, renewal: dt.datetime) -> None:
        self._card(life, renewal, good=False)
        self._at(renewal + dt.timedelta(days=2), life, self._take_cash)
        self._card(life, renewal + dt.timedelta(days=3), good=True)

    def _take_cash(self, subscription: Subscription) -> None:
        for invoice in self._unpaid(subscription):
            changes.mark_paid_offline(self._books, Actor.PANEL, invoice.number)

    def _refund(self, subscription: Subscription) -> None:
        paid = self._books.store.where(
            Invoice,
            "subscription_uid = ? AND status = ?",
            subscription.uid,
            InvoiceStatus.PAID,
        )
        last = paid[-1]
        amount = last.refundable // self._rng.choice((1, 2))
        changes.refund(self._books, Actor.PANEL, subscription.customer_uid, last.number, amount)

    def _end(self, life: Life, subscription: Subscription) -> None:
        if life.ending is SubscriptionStatus.PAUSED:
            until = self._present + dt.timedelta(days=life.next_in_days)
            changes.move_renewal(self._books, Actor.PANEL, subscription.uid, until, pause=True)
        elif life.ending:
            billing.set_status(
                self._books, Actor.PANEL, subscription, life.ending, self._books.now()
            )

    def _debit_bank(self, subscription: Subscription) -> None:
        """A bank debit takes days to clear: it stays Pending past the five-minute batch."""
        cycle = self._books.cycle(subscription.cycle_id)
        invoice = billing.issue(
            self._books,
            Actor.PANEL,
            self._books.owner(subscription),
            self._books.now(),
            kind=InvoiceKind.ONE_TIME_CHARGE,
            amount=cycle.amount,
            currency=cycle.currency,
            description="Bank debit",
        )
        clears = self._present + dt.timedelta(days=BANK_DEBIT_DAYS)
        self._books.store.change(Invoice, invoice.id, due_at=clears)

    def _schedule_write_off(self, subscription: Subscription) -> None:
        for invoice in self._unpaid(subscription):
            self._books.amend(
                Actor.BILLING,
                "write-off scheduled",
                invoice,
                self._books.now(),
                status=InvoiceStatus.TO_BE_WRITTEN_OFF,
                due_at=self._present + dt.timedelta(days=WRITE_OFF_IN_DAYS),
            )

    def _unpaid(self, subscription: Subscription) -> list[Invoice]:
        return self._books.store.where(
            Invoice,
            "subscription_uid = ? AND status = ?",
            subscription.uid,
            InvoiceStatus.UNPAID,
        )


def _uid(life: Life) -> str:
    assert life.uid is not None  # noqa: S101 - tell() gave everybody one
    return life.uid


def _start(upcoming: dt.datetime, months: int, plan: tuple[str, int, int, str]) -> dt.datetime:
    """When somebody joined whose next bill is `upcoming`, after so many months."""
    _, _, frequency, unit = plan
    if unit == "Weekly":
        return upcoming - dt.timedelta(weeks=4 * months)
    return upcoming - relativedelta(months=max(1, months // frequency) * frequency)
