"""A desk with a practice Billsby and a list in memory, and a clock that tests move."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from billsby_sandbox.company import Company
from billsby_sandbox.records import Customer, Invoice
from billsby_sandbox.records import Subscription as PracticeSubscription
from canceldesk import clock, go_ahead, outside
from canceldesk.accounts.models import Role, User
from canceldesk.billsby.client import HttpBillsby
from canceldesk.cases import services as cases
from canceldesk.cases import waking
from canceldesk.cases.models import Case, Channel, Decision, Reason, Wish
from canceldesk.clients import mirror
from canceldesk.clients.models import Client
from canceldesk.closing.advance import advance
from canceldesk.closing.models import Step
from canceldesk.retention import services as retention
from tests.fakes import FakeList
from tests.practice import billsby_of

START = dt.datetime(2026, 3, 2, 15, 0, tzinfo=dt.UTC)
KEY = "acme_practice_key"


@dataclass
class Desk:
    """Everything a story needs."""

    company: Company
    billsby: HttpBillsby
    the_list: FakeList
    agent: User
    manager: User
    admin: User
    passes: int = 0

    def client(
        self, first: str = "Nora", last: str = "Field", *, months_ago: int = 5, amount: int = 9900
    ) -> tuple[Customer, PracticeSubscription]:
        """A client at Billsby with one active subscription and a paid invoice per month."""
        began = clock.now() - dt.timedelta(days=30 * months_ago + 2)
        customer = self.company.add_customer(
            first, last, phone_number="2025550143", created_at=began
        )
        cycle = self.company.add_plan(amount=amount)
        subscription = self.company.add_subscription(
            customer.uid,
            cycle,
            created_at=began,
            next_billing_at=clock.now() + dt.timedelta(days=10),
        )
        for month in range(months_ago):
            self.company.add_invoice(
                customer.uid,
                amount,
                "Paid",
                subscription_uid=subscription.uid,
                created_at=began + dt.timedelta(days=30 * month),
            )
        return customer, subscription

    def invoice(
        self, subscription: PracticeSubscription, amount: int, status: str = "Unpaid"
    ) -> Invoice:
        """An invoice of a subscription, issued three days ago."""
        return self.company.add_invoice(
            subscription.customer_uid,
            amount,
            status,
            subscription_uid=subscription.uid,
            created_at=clock.now() - dt.timedelta(days=3),
        )

    def mirrored(self, uid: str) -> Client:
        """The desk's copy of a client, read now."""
        client = mirror.keep_client(self.billsby.customer(uid))
        for subscription in self.billsby.customer_subscriptions(uid):
            mirror.keep_subscription(client, self.billsby.subscription(subscription.billsby_id))
        return client

    def somebody_else(self) -> Client:
        """Another client whom the desk knows: who is deleted in Billsby is never the only one."""
        customer, _ = self.client("Otto", "Grove")
        return self.mirrored(customer.uid)

    def file(
        self, *subscriptions: PracticeSubscription, wish: Wish = Wish.SUSPEND, words: str = ""
    ) -> Case:
        """An agent files a request."""
        client = self.mirrored(subscriptions[0].customer_uid)
        chosen = client.subscriptions.filter(billsby_id__in=[s.uid for s in subscriptions])
        return cases.file_request(
            by=self.agent,
            client=client,
            subscriptions=list(chosen),
            wish=wish,
            channel=Channel.CALL,
            reason=Reason.objects.get(key="too_expensive"),
            reason_words=words,
        )

    def decided(
        self, *subscriptions: PracticeSubscription, decision: Decision = Decision.SUSPEND
    ) -> Case:
        """A request that a manager has decided."""
        case = self.file(*subscriptions)
        self.decide(case, decision)
        return case

    def decide(self, case: Case, decision: Decision) -> None:
        retention.decide(case, by=self.manager, decision=decision, typed_id=case.client.billsby_id)

    def not_due_yet(self, case: Case) -> Case:
        """Have its pass come only when the test makes it: nobody waits for this one to be held."""
        Case.objects.filter(pk=case.pk).update(next_pass_at=None)
        return case

    def advance(self, case: Case) -> Case:
        """One pass."""
        self.passes += 1
        assert advance(case.pk, owner="worker")
        case.refresh_from_db()
        return case

    def sleep_after_going_ahead(self, case: Case, meanwhile: Callable[[], object]) -> None:
        """A worker falls asleep when it has told that it goes ahead with a change; it wakes up and
        sends it when `meanwhile` is over.
        """

        def asleep() -> None:
            awake.undo()
            go_ahead.assure()
            meanwhile()

        with pytest.MonkeyPatch.context() as awake:
            awake.setattr(go_ahead, "assure", asleep)
            assert advance(case.pk, owner="sleeper") is False

    def before_the_first(self, call: str, happens: Callable[[], object]) -> None:
        """Have something happen once, when a pass is about to make such a call to Billsby."""
        honest = getattr(self.billsby, call)

        def happens_first(*given: object) -> object:
            setattr(self.billsby, call, honest)
            happens()
            return honest(*given)

        setattr(self.billsby, call, happens_first)

    def settle(self, case: Case, *, rounds: int = 12) -> Case:
        """Passes, moving the clock to each next one, for ten minutes at most."""
        end = clock.now() + dt.timedelta(minutes=10)
        for _ in range(rounds):
            self.advance(case)
            if case.next_pass_at is None or case.next_pass_at > end:
                break
            if case.next_pass_at > clock.now():
                clock.advance(case.next_pass_at - clock.now())
        return case

    def later(self, **by: float) -> None:
        """Let time pass for everybody, Billsby's billing included."""
        clock.advance(dt.timedelta(**by))
        self.company.tick()

    def writes(self, part: str = "") -> list[str]:
        """Calls that arrived at Billsby to change something, as `PUT /path`."""
        return [
            f"{call.method} {call.path}"
            for call in self.company.calls()
            if call.method != "GET" and part in call.path
        ]

    def history(self, what: str) -> list[str]:
        """What Billsby's own history names for one kind of event."""
        return [entry.subject for entry in self.company.history() if entry.what == what]

    def step(self, case: Case, name: Step.Name) -> Step:
        return Step.objects.get(case=case, name=name)


@pytest.fixture
def desk(db: None) -> Iterator[Desk]:
    with clock.frozen(START):
        company = Company.open(":memory:", domain="acme", api_key=KEY, clock=clock.now)
        billsby = billsby_of(company, key=KEY)
        the_list = FakeList()
        users = {
            role: User.objects.create_user(f"{role.value}@example.com", name=role.label, role=role)
            for role in Role
        }
        with outside.using(billsby=billsby, the_list=the_list):
            yield Desk(
                company,
                billsby,
                the_list,
                users[Role.AGENT],
                users[Role.MANAGER],
                users[Role.ADMIN],
            )
        company.close()


def due_now(case: Case) -> bool:
    """Whether the sweep would take the case."""
    return waking.due(clock.now()).filter(pk=case.pk).exists()
