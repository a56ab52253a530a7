"""Whatever is done to a subscription in whatever order, billing keeps its promises."""

from __future__ import annotations

import datetime as dt

import hypothesis.strategies as st
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from billsby_sandbox.company import Company
from billsby_sandbox.errors import PanelRefused
from billsby_sandbox.records import Invoice

from .conftest import NOON


class BillingLife(RuleBasedStateMachine):
    """One client whose subscription is moved about while time passes."""

    @initialize(unit=st.sampled_from(["Weekly", "Monthly"]), good=st.booleans())
    def open(self, unit: str, good: bool) -> None:
        self.company = Company.open(":memory:", api_key="k", clock=lambda: NOON)
        self.company.set_quirk("dunning_write_off", "after_delay")
        plan = self.company.add_plan("Plan", amount=5000, unit=unit)
        self.customer = self.company.add_customer(card_good=good)
        self.uid = self.company.add_subscription(
            self.customer.uid, plan, next_billing_at=NOON + dt.timedelta(days=3)
        ).uid
        self.quiet_until: dt.datetime | None = None
        self.quiet_from = NOON
        self.reactivated_at: set[dt.datetime] = set()

    def _renewals(self) -> list[Invoice]:
        return [one for one in self.company.invoices() if one.kind == "Renewal"]

    @rule(days=st.integers(min_value=0, max_value=45), hours=st.integers(0, 23))
    def time_passes(self, days: int, hours: int) -> None:
        before = len(self._renewals())
        status = self.company.subscription(self.uid).status
        self.company.advance(days=days, hours=hours)
        if status in ("Suspended", "Cancelled"):
            assert len(self._renewals()) == before

    @rule(days=st.integers(min_value=1, max_value=60))
    def the_date_moves_with_a_pause(self, days: int) -> None:
        date = self.company.now() + dt.timedelta(days=days)
        try:
            self.company.panel_change_bill_date(self.uid, date, pause=True)
        except PanelRefused:
            return
        if self.company.subscription(self.uid).status == "Paused":
            self.quiet_from, self.quiet_until = self.company.now(), date

    @rule()
    def a_person_suspends(self) -> None:
        had_debt = bool(self.company.books.blocking_invoices(self.customer.uid))
        try:
            self.company.panel_suspend(self.uid)
        except PanelRefused:
            return
        assert not had_debt

    @precondition(lambda self: self.company.subscription(self.uid).status == "Suspended")
    @rule()
    def a_person_reactivates(self) -> None:
        before = len(self._renewals())
        try:
            self.company.panel_activate(self.uid)
        except PanelRefused:
            assert self.company.books.blocking_invoices(self.customer.uid)
            return
        self.quiet_until = None
        self.reactivated_at.add(self.company.now())
        assert len(self._renewals()) == before + 1

    @rule(good=st.booleans())
    def the_card_changes(self, good: bool) -> None:
        self.company.set_card(self.customer.uid, good=good)

    @rule()
    def everything_is_written_off(self) -> None:
        for invoice in self.company.books.blocking_invoices(self.customer.uid):
            self.company.panel_write_off(invoice.number)

    @rule()
    def a_person_cancels(self) -> None:
        try:
            self.company.panel_cancel(self.uid, self.customer.uid)
        except PanelRefused:
            return
        assert self.company.subscription(self.uid).status == "Cancelled"

    @invariant()
    def nothing_is_billed_before_a_pause_ends(self) -> None:
        if self.quiet_until is None:
            return
        for invoice in self._renewals():
            assert not self.quiet_from < invoice.created_at < self.quiet_until

    @invariant()
    def each_period_is_billed_once(self) -> None:
        renewals = [
            entry.after for entry in self.company.history() if entry.what == "subscription renewed"
        ]
        assert len(renewals) == len(self._renewals())
        # Each reactivation bills at once, however soon after the last one.
        by_time = [one for one in self._renewals() if one.created_at not in self.reactivated_at]
        starts = [one.period_start_at for one in by_time]
        assert len(starts) == len(set(starts))

    @invariant()
    def nothing_that_is_due_is_left_undone(self) -> None:
        now = self.company.now()
        subscription = self.company.subscription(self.uid)
        if subscription.status in ("Active", "InTrial", "Paused"):
            assert subscription.next_billing_at > now
        assert all(one.due_at is None or one.due_at > now for one in self.company.invoices())

    @invariant()
    def a_written_off_invoice_is_worth_nothing_and_the_others_keep_their_worth(self) -> None:
        for invoice in self.company.invoices():
            worth = 0 if invoice.status == "WrittenOff" else invoice.original_amount
            assert invoice.amount == worth

    def teardown(self) -> None:
        self.company.close()


BillingLife.TestCase.settings = settings(max_examples=40, stateful_step_count=18)
TestBillingLife = BillingLife.TestCase
