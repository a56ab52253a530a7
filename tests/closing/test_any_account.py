"""Whatever an account is like and whatever goes wrong on the way: it converges, with one row,
one write-off per invoice and no charge. Each seed is one account and one course of events."""

from __future__ import annotations

import random

import pytest

from billsby_sandbox.errors import PanelRefused
from billsby_sandbox.records import Subscription
from canceldesk import clock
from canceldesk.billsby import BillsbyError
from canceldesk.cases.models import Case, Decision, State
from canceldesk.cases.services import CaseError
from canceldesk.closing import services
from canceldesk.closing.models import Hold, Intent
from canceldesk.closing.services import Seen
from canceldesk.workbook.errors import CannotSave, InUse
from tests.closing.conftest import Desk
from tests.write_offs import sent_again

QUIRKS = {
    "status_spelling": ["joined", "spaced", "lower"],
    "suspend_offered_while_paused": ["yes", "no"],
    "suspend_blocked_by_unpaid": ["yes", "no"],
    "pause_lifted_by_false": ["yes", "no"],
    "renewaldate_while_suspended": ["status_kept", "refused"],
    "max_renewal_days": ["0", "100", "40"],
    "beyond_max_renewal": ["refused", "shortened"],
    "api_cancel_blocked": ["400_empty", "409_message", "not_blocked"],
    "write_off_pending_allowed": ["yes", "no"],
    "write_off_repeat": ["success", "400"],
    "write_off_triggers_dunning_outcome": ["none", "suspended"],
    "dunning_write_off": ["by_hand", "immediately", "after_delay"],
    "dunning_while_suspended": ["yes", "no"],
    "paid_total_unit": ["minor", "major"],
    "invoice_detail_status": ["customer", "invoice"],
    "subscription_id_spelling": ["subscriptionUniqueID", "subscriptionUniqueId"],
    "suspended_next_billing": ["shown", "empty"],
    "error_body": ["empty", "message", "html"],
}
FAULTS: list[dict[str, object]] = [
    {"kind": "drop_before"},
    {"kind": "drop_after"},
    {"kind": "status", "status": 500},
    {"kind": "status", "status": 429, "retry_after": "7"},
    {"kind": "rubbish", "rubbish": "html"},
    {"kind": "rubbish", "rubbish": "half_json"},
    {"kind": "rubbish", "rubbish": "wrong_customer"},
]


class Story:
    """One account, one client, and the people around them."""

    def __init__(self, desk: Desk, seed: int) -> None:
        self.desk, self.dice = desk, random.Random(seed)
        for quirk, values in QUIRKS.items():
            desk.company.set_quirk(quirk, self.dice.choice(values))
        self.customer, first = desk.client("Nora", f"Field{seed}")
        self.leaving = [first]
        if self.dice.random() < 0.4:
            self.leaving.append(desk.company.add_subscription(self.customer.uid))
        self.staying = None
        if self.dice.random() < 0.3:
            self.staying = desk.company.add_subscription(self.customer.uid)
        for _ in range(self.dice.randint(0, 3)):
            owner = self.dice.choice(self.leaving)
            desk.invoice(owner, 2000, self.dice.choice(["Unpaid", "Pending", "ToBeWrittenOff"]))
        self.decision = self.dice.choice([Decision.SUSPEND, Decision.SUSPEND, Decision.CANCEL])
        self.case = desk.file(*self.leaving)
        self.decided_at = clock.now()

    def go_wrong_for_a_while(self) -> None:
        for _ in range(self.dice.randint(4, 10)):
            self.dice.choice([self.break_a_call, self.occupy_the_workbook, self.person_acts])()
            self.desk.advance(self.case)
            self.desk.later(seconds=self.dice.choice([1, 5, 30, 61]))
        self.desk.company.clear_faults()
        self.desk.the_list.trouble = None

    def break_a_call(self) -> None:
        fault = dict(self.dice.choice(FAULTS))
        kind = str(fault.pop("kind"))
        calls = [("GET", "*")] * 2
        if kind != "rubbish":
            calls += [("PUT", "*/WrittenOff"), ("PUT", "*/renewaldate"), ("DELETE", "*")]
        method, path = self.dice.choice(calls)
        skip = self.dice.randint(0, 4) if method == "GET" else 0
        self.desk.company.add_fault(kind, method, path, times=1, skip=skip, **fault)

    def occupy_the_workbook(self) -> None:
        self.desk.the_list.trouble = self.dice.choice(
            [None, InUse("Pat has it open.", by="Pat"), CannotSave("The disk is full.")]
        )
        if self.dice.random() < 0.3:
            self.desk.the_list.after_write = RuntimeError("power cut")

    def person_acts(self) -> None:
        """Does what the page asks for, and nothing else."""
        to_approve = services.to_approve(self.case)
        if to_approve and self.case.state == State.CLOSING:
            self.approve(to_approve)
        for subscription in self.leaving:
            self.click(subscription)

    def approve(self, to_approve: list[dict[str, object]]) -> None:
        seen = [Seen(str(i["number"]), int(str(i["amount_minor"]))) for i in to_approve]
        try:
            services.approve_write_offs(self.case, by=self.desk.manager, seen=seen)
        except (BillsbyError, CaseError):
            return  # a person reads it and tries again later

    def click(self, subscription: Subscription) -> None:
        there = self.desk.company.subscription(subscription.uid)
        if self.decision is Decision.CANCEL or there.status in {"Suspended", "Cancelled"}:
            return
        step = self.case.steps.filter(name="stop").first()
        if step is None or not step.evidence.get("click"):
            return
        try:
            self.desk.company.panel_suspend(subscription.uid)
        except PanelRefused:
            self.lift(subscription)

    def lift(self, subscription: Subscription) -> None:
        scope = self.case.scope.get(subscription__billsby_id=subscription.uid)
        held = Hold.objects.filter(scope=scope, state=Hold.State.HELD).exists()
        there = self.desk.company.subscription(subscription.uid)
        if held:
            services.release_hold(self.case, by=self.desk.agent, scope=scope)
        elif there.status == "Paused":
            self.desk.company.panel_change_bill_date(there.uid, there.next_billing_at, pause=False)

    def end_well(self) -> None:
        for _ in range(25):
            self.case.refresh_from_db()
            if self.case.state == State.CLOSED:
                return
            self.desk.advance(self.case)
            self.person_acts()
            self.desk.later(seconds=61)


@pytest.mark.parametrize("seed", range(60))
def test_every_course_of_events_converges(desk: Desk, seed: int) -> None:
    story = Story(desk, seed)
    desk.decide(story.case, story.decision)
    story.go_wrong_for_a_while()
    story.end_well()

    case = Case.objects.get(pk=story.case.pk)
    assert case.state == State.CLOSED, (case.waits_sentence, case.attention)
    assert len(desk.the_list.rows) == 1
    assert desk.the_list.written == 1
    for subscription in story.leaving:
        status = desk.company.subscription(subscription.uid).status
        assert status == ("Cancelled" if story.decision is Decision.CANCEL else "Suspended")
    assert not sent_again(desk.company)
    invoices = desk.company.invoices(story.customer.uid)
    renewed = [i for i in invoices if i.created_at > story.decided_at and i.subscription_uid]
    assert not renewed
    approved = set(case.write_off_approvals.values_list("invoice_number", flat=True))
    by_api = {c.path.split("/")[3] for c in desk.company.calls() if "WrittenOff" in c.path}
    assert by_api <= approved
    if story.staying:
        assert desk.company.subscription(story.staying.uid).status == "Active"
    assert not Intent.objects.filter(state=Intent.State.SENT).exists()
