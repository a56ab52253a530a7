"""Everything the page of one case shows, read in a fixed number of queries."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from django.db.models import Max, QuerySet

from canceldesk import clock
from canceldesk.accounts.models import User
from canceldesk.cases import authority, findings, log
from canceldesk.cases.authority import Act
from canceldesk.cases.models import (
    UNDECIDED_STATES,
    Case,
    CaseSubscription,
    Finding,
    LogEntry,
    State,
)
from canceldesk.clients.models import OpenInvoice, Subscription
from canceldesk.closing import panel
from canceldesk.closing import services as closing
from canceldesk.closing.models import Facts, Hold, Intent, Step, Watch
from canceldesk.closing.panel import Clicks
from canceldesk.configuration import services as configuration
from canceldesk.web import charges, track
from canceldesk.web.track import Ticked

NEWEST_ENTRIES = 60


@dataclass(frozen=True)
class Told:
    """A log entry as people read it."""

    entry: LogEntry
    sentence: str

    @property
    def raw(self) -> str:
        """What was recorded with it, Billsby's or the workbook's answer included."""
        return json.dumps(self.entry.data, indent=2, ensure_ascii=False, sort_keys=True)


@dataclass(frozen=True)
class Blocking:
    """An invoice to be approved for writing off. `can_write_off` is False while nobody knows
    what its status means.
    """

    number: str
    amount_minor: int
    currency: str
    status: str
    can_write_off: bool = True


class RowStory(StrEnum):
    """Where a row is that does not simply stand on the list."""

    NONE = ""
    GONE = "gone"
    LEAVING = "leaving"
    OFF = "off"
    RETURNING = "returning"


@dataclass(frozen=True)
class CasePage:
    """One case as one person sees it."""

    case: Case
    by: User
    whole_log: bool = False

    @property
    def is_undecided(self) -> bool:
        """Whether a manager still has to decide."""
        return self.case.state in UNDECIDED_STATES

    @property
    def attempts_shown(self) -> int:
        """How many attempts to keep the client the page shows."""
        return len(self.case.attempts.all())

    @property
    def withdraw_refusal(self) -> str:
        """Why this person may not withdraw the case; empty when they may."""
        act = Act.WITHDRAW
        if self.case.state == State.RETENTION:
            act = Act.WITHDRAW_FROM_RETENTION
        return "" if self.may[act.name] else self.refusal[act.name]

    @property
    def is_closing(self) -> bool:
        """Whether the desk is bringing it about."""
        return self.case.state == State.CLOSING

    @property
    def is_closed(self) -> bool:
        """Whether both halves were read back."""
        return self.case.state == State.CLOSED

    @cached_property
    def may(self) -> dict[str, bool]:
        """By the name of an act, whether this person may do it."""
        return {act.name: authority.may(self.by, act) for act in Act}

    @cached_property
    def refusal(self) -> dict[str, str]:
        """By the name of an act, who can do it instead."""
        return {act.name: authority.refusal(self.by, act) for act in Act}

    @cached_property
    def scope(self) -> list[CaseSubscription]:
        """What is to stop."""
        return sorted(self.case.scope.all(), key=lambda scope: scope.pk)

    @cached_property
    def next_charge(self) -> Subscription | None:
        """What is charged first, if anything is."""
        return charges.next_charge(self.case)

    @property
    def is_to_stop(self) -> bool:
        """Whether the scope is still meant to be stopped."""
        return self.case.is_open

    @cached_property
    def others(self) -> list[tuple[Subscription, Case | None]]:
        """The client's other subscriptions that still bill, each with the open case that is to stop
        it; without one it stays.
        """
        mine = {scope.subscription_id for scope in self.scope}
        others = [
            subscription
            for subscription in self.case.client.subscriptions.all()
            if subscription.pk not in mine and subscription.is_live
        ]
        open_ones = CaseSubscription.objects.filter(subscription__in=others, is_open=True)
        cases = {scope.subscription_id: scope.case for scope in open_ones.select_related("case")}
        return [(subscription, cases.get(subscription.pk)) for subscription in others]

    @cached_property
    def holds(self) -> list[Hold]:
        """Holds that keep a charge away now."""
        holds = (_protecting(scope) for scope in self.scope)
        return [hold for hold in holds if hold is not None]

    @property
    def bills_again(self) -> list[tuple[Subscription, dt.datetime | None]]:
        """What goes on being charged when nothing is stopped after all, each with its next charge
        where that is known and still to come.
        """
        live = [scope for scope in self.scope if scope.subscription.is_live]
        return [(scope.subscription, _charge_without_hold(scope)) for scope in live]

    @cached_property
    def owed(self) -> list[OpenInvoice]:
        """Invoices that still ask for money, as last read in Billsby."""
        return list(self.case.client.open_invoices.all())

    @property
    def owed_minor(self) -> int:
        """Their total."""
        return sum(invoice.amount_minor for invoice in self.owed)

    @property
    def owed_currency(self) -> str:
        """The currency of that total."""
        return self.owed[0].currency if self.owed else self.case.currency

    @property
    def decidable_invoices(self) -> list[Blocking]:
        """Open invoices a manager can approve writing off while deciding."""
        return [
            Blocking(
                number=invoice.number,
                amount_minor=invoice.amount_minor,
                currency=invoice.currency,
                status=invoice.status_raw or str(invoice.get_status_display()),
                can_write_off=invoice.status != OpenInvoice.Status.UNKNOWN,
            )
            for invoice in self.owed
        ]

    @cached_property
    def steps(self) -> dict[str, Step]:
        """The closing's steps by name."""
        return {step.name: step for step in self.case.steps.all()}

    @cached_property
    def track(self) -> list[Ticked]:
        """The closing track, or nothing before a decision to stop."""
        return track.of(self.case) if self.case.decision in track.STOPPING else []

    @property
    def to_approve(self) -> list[Blocking]:
        """Invoices the newest pass found to approve."""
        return self._found_by_clear("to_approve")

    @property
    def may_approve(self) -> list[Blocking]:
        """Open invoices that may be for the service that stops or for one that stays."""
        return self._found_by_clear("may_approve")

    def _found_by_clear(self, key: str) -> list[Blocking]:
        clear = self.steps.get(Step.Name.CLEAR)
        if clear is None or not self.is_closing:
            return []
        return [Blocking(**invoice) for invoice in clear.evidence.get(key, [])]

    @property
    def manager_needed(self) -> bool:
        """Whether approving all of them is above the agents' limit."""
        return bool(self.steps[Step.Name.CLEAR].evidence.get("manager_needed"))

    @property
    def agent_limit_minor(self) -> int:
        """Up to what total per case an agent may approve."""
        return configuration.whole("AGENT_WRITE_OFF_LIMIT")

    @property
    def can_rewrite(self) -> bool:
        """Whether the desk has read that its row is gone."""
        document = self.steps.get(Step.Name.DOCUMENT)
        return self.is_closing and bool(document and document.evidence.get("can_rewrite"))

    @cached_property
    def row(self) -> Intent | None:
        """What the desk has done about the row on the list."""
        rows = (one for one in self.case.intents.all() if one.kind == Intent.Kind.ROW)
        return next(rows, None)

    @property
    def row_story(self) -> RowStory:
        """What is to be told of the row beyond the closing track."""
        if self.can_rewrite:
            return RowStory.GONE
        if self.row is None:
            return RowStory.NONE
        if self.row.is_to_leave:
            return RowStory.LEAVING
        if self.row.state == Intent.State.REMOVED:
            return RowStory.OFF
        is_back = self.row.state == Intent.State.CONFIRMED
        return RowStory.NONE if is_back or not self.is_closed else RowStory.RETURNING

    @property
    def can_put_back(self) -> bool:
        """Whether a row was taken off the list of which the case still has the facts."""
        return self.is_closed and self.row_story is RowStory.OFF

    @property
    def can_take_off(self) -> bool:
        """Whether the case is closed and its row stands."""
        return self.is_closed and self.row is not None and self.row.state == Intent.State.CONFIRMED

    @cached_property
    def can_take_back(self) -> bool:
        """Whether nothing was done that cannot be undone."""
        return self.is_closing and not closing.why_decision_stands(self.case)

    @property
    def suspended(self) -> list[Subscription]:
        """What is Suspended in Billsby as last read, which only a person can start again."""
        services = (scope.subscription for scope in self.scope)
        return [one for one in services if one.status == Subscription.Status.SUSPENDED]

    @cached_property
    def clicks(self) -> list[Clicks]:
        """What a person has to do in Billsby now."""
        return panel.clicks_for(self.case)

    @property
    def words(self) -> str:
        """What to tell the client, where the desk did not do it itself."""
        confirm = self.steps.get(Step.Name.CONFIRM)
        return str(confirm.evidence.get("words", "")) if confirm else ""

    @property
    def facts(self) -> Facts | None:
        """What goes on the list."""
        return getattr(self.case, "facts", None)

    @property
    def totals_differ(self) -> bool:
        """Whether Billsby's own total is another than the desk's."""
        facts = self.facts
        return (
            facts is not None
            and facts.billsby_total_minor is not None
            and facts.billsby_total_minor != facts.collected_minor
        )

    @property
    def watch(self) -> Watch | None:
        """The checks after the end."""
        return getattr(self.case, "watch", None)

    @cached_property
    def findings(self) -> list[Finding]:
        """What was found wrong, what still stands first."""
        return sorted(self.case.findings.all(), key=lambda found: not found.stands)

    @cached_property
    def to_settle(self) -> list[Finding]:
        """What a manager can settle, because no check will see it put right."""
        return [] if self.case.is_open else list(findings.to_settle(self.case))

    @cached_property
    def told(self) -> list[Told]:
        """The log, newest first."""
        entries = self.case.log.select_related("by").order_by("-id")
        shown = entries if self.whole_log else entries[: NEWEST_ENTRIES + 1]
        return [Told(entry, log.sentence(entry)) for entry in shown]

    @property
    def log_shown(self) -> list[Told]:
        """The part of it that is shown."""
        return self.told if self.whole_log else self.told[:NEWEST_ENTRIES]

    @property
    def log_is_longer(self) -> bool:
        """Whether there is more of it."""
        return not self.whole_log and len(self.told) > NEWEST_ENTRIES


def _protecting(scope: CaseSubscription) -> Hold | None:
    hold: Hold | None = getattr(scope, "hold", None)
    protecting = {Hold.State.HELD, Hold.State.RELEASING, Hold.State.RELEASED}
    return hold if hold is not None and hold.state in protecting else None


def _charge_without_hold(scope: CaseSubscription) -> dt.datetime | None:
    hold = _protecting(scope)
    at = hold.original_next_billing_at if hold else scope.subscription.next_billing_at
    return at if at is not None and at > clock.now() else None


def query() -> QuerySet[Case]:
    """Cases with everything their pages need."""
    return Case.objects.select_related(
        "client", "reason", "filed_by", "decided_by", "facts", "watch"
    ).prefetch_related(
        "scope__subscription",
        "scope__hold",
        "steps",
        "intents",
        "write_off_approvals__by",
        "messages__by",
        "attempts__by",
        "findings",
        "client__subscriptions",
        "client__open_invoices",
    )


def version(pk: int) -> str | None:
    """What changes whenever the page would, in two cheap queries; None when there is no case.

    The minute is in it because a page says how long it is until the next charge.
    """
    known = Case.objects.filter(pk=pk).values_list("version", "watch__checks").first()
    if known is None:
        return None
    newest = LogEntry.objects.filter(case=pk).aggregate(newest=Max("id"))["newest"]
    return f"{known[0]}.{known[1] or 0}.{newest or 0}.{clock.now():%H%M}"
