"""The practice company from Python: open it, fill it, move its clock, act as its panel.

    company = Company.open(":memory:", domain="acme", api_key="acme_key")
    anna = company.add_customer("Anna", "Berg")
    subscription = company.add_subscription(anna.uid)
    company.advance(days=31)

Every method is one transaction. Times are aware UTC, amounts whole hundredths.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from billsby_sandbox import billing, faults, intake, quirks, webhooks
from billsby_sandbox.books import Books, Clock, system_clock
from billsby_sandbox.hands import PanelHands
from billsby_sandbox.records import (
    Call,
    Customer,
    Cycle,
    Fault,
    HistoryEntry,
    Invoice,
    Subscription,
    Webhook,
)
from billsby_sandbox.store import Store
from billsby_sandbox.words import (
    COLLECTABLE,
    Actor,
    InvoiceKind,
    InvoiceStatus,
    SubscriptionStatus,
)

DEFAULT_ADDRESS: dict[str, str | None] = {
    "addressLine1": "12 Example Street",
    "addressLine2": None,
    "city": "Springfield",
    "state": "IL",
    "country": "USA",
    "postCode": "62701",
}
DEFAULT_PLAN = "Credit Repair Standard"
DEFAULT_PRODUCT = "Coaching Program"
DEFAULT_AMOUNT = 9900


class Company(PanelHands):
    """One company at the practice Billsby."""

    def __init__(self, books: Books) -> None:
        self.books = books
        self.webhook_url = ""
        self.webhook_secret = ""
        self.webhook_sender: webhooks.Sender = webhooks.post

    @classmethod
    def open(
        cls,
        path: str | Path,
        *,
        domain: str = "acme",
        api_key: str,
        clock: Clock = system_clock,
    ) -> Company:
        """Open a company's file, making it when it is not there; `:memory:` keeps none.

        `clock` gives the real time as an aware datetime; the company's own clock adds to it.
        """
        return cls(Books(Store(path), domain, api_key, clock))

    def close(self) -> None:
        """Close the file."""
        self.books.store.close()

    @contextmanager
    def transaction(self) -> Iterator[Books]:
        """Several changes that happen together or not at all."""
        with self.books.store.transaction():
            yield self.books

    # time

    def now(self) -> dt.datetime:
        """The company's present."""
        return self.books.now()

    def advance(self, by: dt.timedelta | None = None, *, days: float = 0, hours: float = 0) -> int:
        """Move the clock forward and do all billing that falls due; how many things that was."""
        with self.transaction():
            self.books.move_clock(by or dt.timedelta(days=days, hours=hours))
            self.books.note(
                Actor.PRACTICE,
                "clock moved",
                "clock",
                self.now(),
                after={"offset_seconds": self.books.offset().total_seconds()},
            )
        return self.tick()

    def tick(self) -> int:
        """Do all billing that is due by now; how many things that was."""
        with self.transaction():
            return billing.run(self.books, self.now())

    # quirks and faults

    def quirks(self) -> dict[str, str]:
        """Every quirk with its present value."""
        return {name: self.books.quirk(name) for name in quirks.REGISTRY}

    def set_quirk(self, name: str, value: str | int | bool) -> None:
        """Set a quirk; True and False stand for yes and no. UnknownQuirk for what is not one."""
        text = quirks.checked(name, value)
        with self.transaction():
            self.books.note(
                Actor.PRACTICE,
                "quirk set",
                name,
                self.now(),
                before={"value": self.books.quirk(name)},
                after={"value": text},
            )
            self.books.store.set_setting(f"quirk:{name}", text)

    def add_fault(self, kind: str, method: str = "*", path: str = "*", **settings: object) -> Fault:
        """Make matching API calls go wrong; see `faults.FaultRule` for the settings."""
        rule = faults.FaultRule.model_validate(
            {"kind": kind, "method": method, "path": path, **settings}
        )
        with self.transaction():
            return faults.add(self.books, rule)

    def faults(self) -> list[Fault]:
        """The fault rules, oldest first."""
        return self.books.store.where(Fault)

    def clear_faults(self, fault_id: int | None = None) -> None:
        """Drop one fault rule, or all."""
        with self.transaction():
            condition = "1" if fault_id is None else f"id = {int(fault_id)}"
            self.books.store.drop(Fault, condition)

    def set_down(self, how: str = "503") -> None:
        """Take the API down: `503` answers so, `refuse` cuts every connection, `no` is up."""
        with self.transaction():
            faults.set_down(self.books, how)

    # filling the books

    def add_plan(
        self,
        name: str = DEFAULT_PLAN,
        *,
        amount: int = DEFAULT_AMOUNT,
        frequency: int = 1,
        unit: str = "Monthly",
        product: str = DEFAULT_PRODUCT,
        currency: str = "USD",
    ) -> Cycle:
        """A plan's cycle: `amount` hundredths every `frequency` Weekly, Monthly or Yearly."""
        with self.transaction():
            return intake.add_cycle(
                self.books,
                plan_name=name,
                amount=amount,
                frequency=frequency,
                unit=unit,
                product_name=product,
                currency=currency,
            )

    def add_customer(
        self,
        first_name: str = "Anna",
        last_name: str = "Example",
        *,
        email: str | None = None,
        phone_number: str | None = "5550100",
        dial_code: str | None = "1",
        dial_country: str | None = "USA",
        card_good: bool = True,
        created_at: dt.datetime | None = None,
        uid: str | None = None,
    ) -> Customer:
        """A customer with an address and a card."""
        with self.transaction():
            return intake.add_customer(
                self.books,
                Actor.PRACTICE,
                first_name=first_name,
                last_name=last_name,
                email=email or f"{first_name}.{last_name}@example.com".lower().replace(" ", "."),
                phone_number=phone_number,
                dial_code=dial_code,
                dial_country=dial_country,
                address=DEFAULT_ADDRESS,
                card_good=card_good,
                created_at=created_at or self.now(),
                uid=uid,
            )

    def add_subscription(
        self,
        customer_uid: str,
        cycle: Cycle | None = None,
        *,
        status: SubscriptionStatus | str = SubscriptionStatus.ACTIVE,
        next_billing_at: dt.datetime | None = None,
        created_at: dt.datetime | None = None,
        units: int = 1,
        uid: str | None = None,
    ) -> Subscription:
        """A subscription, by default Active on a default plan and next billed in 30 days.

        Nothing is billed for what lies before `next_billing_at`.
        """
        with self.transaction():
            return intake.add_subscription(
                self.books,
                Actor.PRACTICE,
                self.books.customer(customer_uid),
                cycle or self._default_cycle(),
                created_at=created_at or self.now(),
                status=SubscriptionStatus(status),
                next_billing_at=next_billing_at or self.now() + dt.timedelta(days=30),
                units=units,
                uid=uid,
            )

    def _default_cycle(self) -> Cycle:
        cycles = self.books.store.where(Cycle)
        return cycles[0] if cycles else self.add_plan()

    def add_invoice(
        self,
        customer_uid: str,
        amount: int = DEFAULT_AMOUNT,
        status: InvoiceStatus | str = InvoiceStatus.UNPAID,
        *,
        subscription_uid: str | None = None,
        created_at: dt.datetime | None = None,
        description: str | None = None,
        due_at: dt.datetime | None = None,
        currency: str = "USD",
    ) -> Invoice:
        """An invoice in any state: a renewal when a subscription is named, else a one-time charge.

        A Pending one is charged in the next batch. Of others only `due_at` makes billing touch
        them again.
        """
        status = InvoiceStatus(status)
        at = created_at or self.now()
        with self.transaction():
            customer = self.books.customer(customer_uid)
            subscription = self.books.subscription(subscription_uid) if subscription_uid else None
            kind = InvoiceKind.RENEWAL if subscription else InvoiceKind.ONE_TIME_CHARGE
            issued = billing.issue(
                self.books,
                Actor.PRACTICE,
                customer,
                at,
                kind=kind,
                amount=amount,
                currency=currency,
                description=description or DEFAULT_PLAN,
                subscription=subscription,
                period_end=at + dt.timedelta(days=30) if subscription else None,
            )
            if status is InvoiceStatus.PENDING:
                return issued
            return self.books.amend(
                Actor.PRACTICE,
                "invoice laid out",
                issued,
                at,
                status=status,
                amount=0 if status is InvoiceStatus.WRITTEN_OFF else amount,
                attempts=1 if status in COLLECTABLE else 0,
                due_at=due_at,
            )

    def set_card(self, customer_uid: str, *, good: bool) -> Customer:
        """Make a customer's card work or fail from now on."""
        with self.transaction():
            return self.books.amend(
                Actor.PRACTICE,
                "card changed",
                self.books.customer(customer_uid),
                self.now(),
                card_good=good,
                card_last4=intake.GOOD_CARD if good else intake.BAD_CARD,
            )

    # looking

    def customer(self, uid: str) -> Customer:
        """A customer; NotFound otherwise."""
        return self.books.customer(uid)

    def customers(self) -> list[Customer]:
        """All customers that were not deleted."""
        return self.books.store.where(Customer, "deleted_at IS NULL")

    def subscription(self, uid: str) -> Subscription:
        """A subscription; NotFound otherwise."""
        return self.books.subscription(uid)

    def subscriptions(self, customer_uid: str | None = None) -> list[Subscription]:
        """All subscriptions, or one customer's."""
        if customer_uid is None:
            return self.books.store.where(Subscription)
        return self.books.subscriptions_of(customer_uid)

    def invoice(self, number: str) -> Invoice:
        """An invoice; NotFound otherwise."""
        return self.books.invoice(number)

    def invoices(self, customer_uid: str | None = None) -> list[Invoice]:
        """All invoices, or one customer's, oldest first."""
        if customer_uid is None:
            return self.books.store.where(Invoice)
        return self.books.store.where(Invoice, "customer_uid = ?", customer_uid)

    def history(self, after_id: int = 0) -> list[HistoryEntry]:
        """Everything that happened, in order."""
        return self.books.store.where(HistoryEntry, "id > ?", after_id)

    def calls(self, after_id: int = 0) -> list[Call]:
        """Every API call that arrived, in order."""
        return self.books.store.where(Call, "id > ?", after_id)

    # webhooks

    def set_webhook(self, url: str, secret: str, sender: webhooks.Sender = webhooks.post) -> None:
        """Where webhooks go, the value of their `Secret` header, and who sends them."""
        self.webhook_url, self.webhook_secret, self.webhook_sender = url, secret, sender

    def deliver_webhooks(self) -> int:
        """Send the webhooks that wait and are due; how many arrived. None without a url."""
        if not self.webhook_url:
            return 0
        return webhooks.deliver_due(
            self.books, self.webhook_url, self.webhook_secret, self.webhook_sender
        )

    def webhooks(self) -> list[Webhook]:
        """Every webhook, sent or not."""
        return self.books.store.where(Webhook)

    def reset(self) -> None:
        """Forget everything: customers, clock, quirks, faults and history."""
        self.books.store.empty()
