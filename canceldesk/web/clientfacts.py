"""What the pages show of a client."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property

from canceldesk import clock
from canceldesk.cases import services as cases
from canceldesk.cases.models import OPEN_STATES, Case
from canceldesk.clients import refreshing
from canceldesk.clients.models import Client, OpenInvoice, Subscription


@dataclass(frozen=True)
class SubscriptionFacts:
    """A subscription and the open case it is in, if any."""

    subscription: Subscription
    case: Case | None = None

    @property
    def can_be_chosen(self) -> bool:
        """Whether a new request may be about it."""
        return self.case is None and self.subscription.status != Subscription.Status.CANCELLED

    @property
    def stopped_by(self) -> Case | None:
        """The closed case that suspended it; a new request can only be to cancel it for good."""
        return cases.stopped_by([self.subscription]).get(self.subscription.pk)

    @property
    def tone(self) -> str:
        """The colour of its status."""
        status = self.subscription.status
        if status == Subscription.Status.ACTIVE:
            return "green"
        if status == Subscription.Status.IN_TRIAL:
            return "teal"
        if status == Subscription.Status.UNKNOWN:
            return "red"
        return "amber" if status == Subscription.Status.PAUSED else "grey"

    @property
    def status_text(self) -> str:
        """The status as Billsby said it."""
        return self.subscription.status_raw or self.subscription.get_status_display()

    @property
    def next_charge_at(self) -> dt.datetime | None:
        """When it charges next, as far as the copy knows: a date gone by tells nothing."""
        at = self.subscription.next_billing_at
        return at if self.subscription.is_live and at is not None and at > clock.now() else None


@dataclass(frozen=True)
class ClientFacts:
    """A client with everything that matters while they are on the phone."""

    client: Client
    open_cases: list[Case] = field(default_factory=list)

    @cached_property
    def subscriptions(self) -> list[SubscriptionFacts]:
        """Live ones first."""
        in_case = {
            scope.subscription_id: case
            for case in self.open_cases
            for scope in case.scope.all()
            if scope.is_open
        }
        return [
            SubscriptionFacts(one, in_case.get(one.pk))
            for one in refreshing.subscriptions_of(self.client)
        ]

    @property
    def live(self) -> list[SubscriptionFacts]:
        """What still bills, or may."""
        return [one for one in self.subscriptions if one.subscription.is_live]

    @property
    def plans(self) -> str:
        """The plans that still bill, else those that did."""
        shown = self.live or self.subscriptions
        names = (one.subscription.plan_name or one.subscription.product_name for one in shown)
        return ", ".join(dict.fromkeys(filter(None, names)))

    @property
    def next_charge(self) -> Subscription | None:
        """The subscription that charges first."""
        charging = [one for one in self.subscriptions if one.next_charge_at is not None]
        first = min(charging, key=lambda one: one.next_charge_at or clock.now(), default=None)
        return first.subscription if first else None

    @property
    def is_charge_known(self) -> bool:
        """Whether Billsby was ever asked for the next charges: the company's list has none."""
        return all(one.subscription.details_read_at is not None for one in self.live)

    @cached_property
    def invoices(self) -> list[OpenInvoice]:
        """Invoices that ask for money."""
        return list(self.client.open_invoices.all())

    @property
    def owed(self) -> list[tuple[int, str]]:
        """What the open invoices come to: minor units and currency, one pair per currency."""
        sums: dict[str, int] = defaultdict(int)
        for invoice in self.invoices:
            sums[invoice.currency] += invoice.amount_minor
        return [(amount, currency) for currency, amount in sums.items()]

    @property
    def read_at(self) -> dt.datetime:
        """How old the oldest part of the copy is."""
        parts = [one.subscription for one in self.subscriptions]
        return min([self.client.read_at, *(one.details_read_at or one.read_at for one in parts)])


def facts_of(client: Client) -> ClientFacts:
    """One client's facts."""
    return all_facts([client])[0]


def all_facts(clients: Iterable[Client]) -> list[ClientFacts]:
    """The facts of several clients; their open cases are asked for together."""
    clients = list(clients)
    open_cases = defaultdict(list)
    there = Case.objects.filter(client__in=clients, state__in=OPEN_STATES)
    for case in there.prefetch_related("scope"):
        open_cases[case.client_id].append(case)
    return [ClientFacts(client, open_cases[client.pk]) for client in clients]
