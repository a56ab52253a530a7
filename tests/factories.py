"""Small, complete records for tests that do not need a whole story."""

from __future__ import annotations

import datetime as dt
from typing import Any

from canceldesk import clock
from canceldesk.accounts.models import Role, User
from canceldesk.cases.models import (
    OPEN_STATES,
    Case,
    CaseSubscription,
    Channel,
    Decision,
    Finding,
    Reason,
    State,
    Wish,
)
from canceldesk.clients import phones
from canceldesk.clients.models import Client, OpenInvoice, Subscription
from canceldesk.clients.search import search_text
from canceldesk.closing.models import Facts, Hold, Step, Watch


class _Numbers:
    """Tells apart what the factories make."""

    def __init__(self) -> None:
        self.last = 0

    def __next__(self) -> int:
        self.last += 1
        return self.last


_numbers = _Numbers()


def count_anew() -> None:
    """Numbers from 1 again: what a test makes is the same whichever tests ran before it."""
    _numbers.last = 0


def make_user(role: Role = Role.AGENT, **fields: Any) -> User:
    """A user of a role."""
    number = next(_numbers)
    fields.setdefault("name", f"{role.label} {number}")
    return User.objects.create_user(f"user{number}@example.com", role=role, **fields)


def make_client(
    first_name: str = "Nora", last_name: str = "Field", *, phone: str = "2025550143", **fields: Any
) -> Client:
    """A client as Billsby shows one."""
    number = next(_numbers)
    fields.setdefault("billsby_id", f"CUS{number:05d}")
    fields.setdefault("email", f"client{number}@example.com")
    fields.setdefault("read_at", clock.now())
    name = f"{first_name} {last_name}"
    return Client.objects.create(
        first_name=first_name,
        last_name=last_name,
        phone=phone,
        phone_e164=phones.e164(phone, "US"),
        phone_digits=phones.digits(phone),
        search_text=search_text(name, fields["email"], fields["billsby_id"]),
        **fields,
    )


def make_subscription(
    client: Client, status: Subscription.Status = Subscription.Status.ACTIVE, **fields: Any
) -> Subscription:
    """A subscription of a client, charged next in ten days."""
    now = clock.now()
    defaults = {
        "billsby_id": f"SUB{next(_numbers):05d}",
        "plan_name": "Gold plan",
        "status_raw": str(status.label),
        "currency": "USD",
        "started_at": now - dt.timedelta(days=160),
        "next_billing_at": None if status in {"suspended", "cancelled"} else now + dt.timedelta(10),
        "next_billing_minor": 9900,
        "read_at": now,
    }
    return Subscription.objects.create(client=client, status=status, **{**defaults, **fields})


def make_invoice(client: Client, amount_minor: int = 9900, **fields: Any) -> OpenInvoice:
    """An unpaid invoice of a client."""
    defaults = {
        "number": f"{client.billsby_id}-{next(_numbers):04d}",
        "currency": "USD",
        "status": OpenInvoice.Status.UNPAID,
        "status_raw": "Unpaid",
        "issued_at": clock.now() - dt.timedelta(days=3),
        "read_at": clock.now(),
    }
    return OpenInvoice.objects.create(
        client=client, amount_minor=amount_minor, **{**defaults, **fields}
    )


def make_case(
    state: State = State.NEW,
    *,
    client: Client | None = None,
    subscriptions: list[Subscription] | None = None,
    **fields: Any,
) -> Case:
    """A case in a state, with what the state needs. One subscription unless said otherwise."""
    client = client or make_client()
    subscriptions = subscriptions or [make_subscription(client)]
    filed_by = fields.pop("filed_by", None) or make_user()
    if state in {State.CLOSING, State.CLOSED}:
        fields.setdefault("decision", Decision.SUSPEND)
    if state == State.RETAINED:
        fields.setdefault("decision", Decision.RETAINED)
    if fields.get("decision"):
        fields.setdefault("decided_by", make_user(Role.MANAGER))
        fields.setdefault("decided_at", clock.now())
    if state not in OPEN_STATES:
        fields.setdefault("ended_at", clock.now())
    defaults = {
        "wish": Wish.SUSPEND,
        "channel": Channel.CALL,
        "reason": Reason.objects.get(key="too_expensive"),
        "received_at": clock.now() - dt.timedelta(hours=2),
        "filed_at": clock.now() - dt.timedelta(hours=2),
        "next_charge_at": subscriptions[0].next_billing_at,
        "next_charge_minor": subscriptions[0].next_billing_minor,
        "currency": subscriptions[0].currency,
    }
    case = Case.objects.create(
        client=client, state=state, filed_by=filed_by, **{**defaults, **fields}
    )
    for subscription in subscriptions:
        CaseSubscription.objects.create(
            case=case, subscription=subscription, is_open=state in OPEN_STATES
        )
    return case


def make_step(
    case: Case,
    name: Step.Name,
    state: Step.State = Step.State.DONE,
    sentence: str = "",
    **evidence: Any,
) -> Step:
    """A step of a closing with its evidence."""
    return Step.objects.create(
        case=case,
        name=name,
        state=state,
        sentence=sentence,
        evidence=evidence,
        changed_at=clock.now(),
    )


def make_click_step(case: Case) -> Step:
    """What the newest pass left when only a person's click in Billsby is missing."""
    subscription = case.scope.get().subscription
    sentence = f"Set {subscription} to Suspended in Billsby; it is {subscription.status_raw} now."
    Case.objects.filter(pk=case.pk).update(waits_for="person", waits_sentence=sentence)
    return make_step(
        case,
        Step.Name.STOP,
        Step.State.WAITING,
        sentence,
        click=True,
        subscription=subscription.billsby_id,
    )


def make_write_off_step(case: Case, *invoices: OpenInvoice, manager_needed: bool = False) -> Step:
    """What the newest pass left when write-offs wait for approval."""
    return make_step(
        case,
        Step.Name.CLEAR,
        Step.State.WAITING,
        "Somebody must approve writing them off.",
        to_approve=[
            {
                "number": invoice.number,
                "amount_minor": invoice.amount_minor,
                "currency": invoice.currency,
                "status": invoice.status_raw,
            }
            for invoice in invoices
        ],
        manager_needed=manager_needed,
    )


def make_hold(scope: CaseSubscription, state: Hold.State = Hold.State.HELD, **fields: Any) -> Hold:
    """A hold on a subscription in a case's scope."""
    now = clock.now()
    defaults = {
        "original_status": "active",
        "original_next_billing_at": scope.subscription.next_billing_at,
        "until": (now + dt.timedelta(days=180)).date(),
        "placed_at": now,
        "read_at": now,
        "evidence": {"billsby_status": "Paused", "read_at": now.isoformat()},
    }
    return Hold.objects.create(scope=scope, state=state, **{**defaults, **fields})


def make_facts(case: Case, **fields: Any) -> Facts:
    """The facts of a case."""
    defaults = {
        "name": case.client.name,
        "phone": "(202) 555-0143",
        "cancelled_on": clock.now().date(),
        "collected_minor": 49500,
        "billsby_total_minor": 49500,
        "currency": "USD",
        "months": 5,
        "started_on": (clock.now() - dt.timedelta(days=160)).date(),
        "reason": "Too expensive",
        "plan": "Gold plan",
        "taken_at": clock.now(),
    }
    return Facts.objects.create(case=case, **{**defaults, **fields})


def make_watch(case: Case, **fields: Any) -> Watch:
    """A watch that is still running."""
    now = clock.now()
    defaults = {"started_at": now, "ends_at": now + dt.timedelta(days=60)}
    return Watch.objects.create(case=case, **{**defaults, **fields})


def make_finding(case: Case | None = None, **fields: Any) -> Finding:
    """Something found wrong that still stands."""
    now = clock.now()
    defaults = {
        "kind": Finding.Kind.SWITCHED_BACK_ON,
        "key": f"finding {next(_numbers)}",
        "sentence": "It was stopped, but Billsby says Active. Set it to Suspended again.",
        "client": case.client if case else None,
        "found_at": now,
        "seen_at": now,
    }
    return Finding.objects.create(case=case, **{**defaults, **fields})
