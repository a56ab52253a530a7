"""What people do: at the desk, in Billsby's control panel and in the workbook. Each deed gives a
sentence for the story: what was done, or why it was refused.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django.http import Http404
from django.test import RequestFactory

from billsby_sandbox.errors import PanelRefused
from canceldesk.accounts.models import User
from canceldesk.billsby import BillsbyError
from canceldesk.cases import services as cases
from canceldesk.cases.authority import NotAllowedError
from canceldesk.cases.models import Case, Channel, Decision, Reason, Wish
from canceldesk.cases.services import CaseError
from canceldesk.clients import mirror
from canceldesk.clients.refreshing import look_up
from canceldesk.closing import services as closing
from canceldesk.closing.models import Facts, Hold, Step
from canceldesk.closing.services import Seen
from canceldesk.configuration import services as configuration
from canceldesk.retention import services as retention
from canceldesk.retention.models import Attempt
from canceldesk.web.views import hooks
from canceldesk.workbook.protocol import NewRow
from tests.model.outside import line_of

if TYPE_CHECKING:
    from tests.model.world import World

_NO = (CaseError, NotAllowedError, BillsbyError)


def _done(deed: Callable[[], object], sentence: str) -> str:
    """Do something and tell it; a refusal is told, too."""
    try:
        deed()
    except (*_NO, PanelRefused) as refusal:
        return f"{sentence}, and is refused: {refusal}"
    return sentence


class AtTheDesk:
    """Agents, managers and admins."""

    def __init__(self, world: World) -> None:
        self._world = world

    def file(self, customer: str, uids: Iterable[str], wish: Wish) -> str:
        """An agent reads the client in Billsby and files their wish."""
        chosen = sorted(uids)

        def deed() -> None:
            billsby = self._world.billsby
            client = mirror.keep_client(billsby.customer(customer))
            for there in billsby.customer_subscriptions(customer):
                mirror.keep_subscription(client, billsby.subscription(there.billsby_id))
            cases.file_request(
                by=self._world.agent,
                client=client,
                subscriptions=list(client.subscriptions.filter(billsby_id__in=chosen)),
                wish=wish,
                channel=Channel.CALL,
                reason=Reason.objects.get(key="too_expensive"),
                is_read_now=True,
            )

        return _done(deed, f"An agent files a wish of {customer} to {wish} {' and '.join(chosen)}")

    def look_up(self, sought: str) -> str:
        """Somebody searches for who the desk's copy may not know yet."""
        return _done(
            lambda: look_up(self._world.billsby, sought), f"An agent looks {sought} up in Billsby"
        )

    def tries_to_keep(self, case: Case) -> str:
        return _done(
            lambda: retention.attempt(
                case,
                by=self._world.manager,
                channel=Channel.CALL,
                offer=next(iter(Attempt.Offer)),
                answer=next(iter(Attempt.Answer)),
            ),
            f"A manager tries to keep {case}",
        )

    def decide(self, case: Case, decision: Decision) -> str:
        return _done(
            lambda: retention.decide(
                case,
                by=self._world.manager,
                decision=decision,
                typed_id=case.client.billsby_id,
            ),
            f"A manager decides {case}: {decision}",
        )

    def take_back(self, case: Case) -> str:
        return _done(
            lambda: closing.take_back(case, by=self._world.manager, why="They called again"),
            f"A manager takes the decision about {case} back",
        )

    def withdraw(self, case: Case, *, by_manager: bool) -> str:
        who = self._world.manager if by_manager else self._world.agent
        because = cases.WithdrawBecause.NOT_A_CANCELLATION
        return _done(
            lambda: cases.withdraw(case, by=who, because=because),
            f"{_article(who)} withdraws {case}",
        )

    def approve(self, case: Case, *, by_manager: bool, unclear_too: bool = False) -> str:
        """Somebody approves what the case's page offers, at the amounts it shows."""
        who = self._world.manager if by_manager else self._world.agent
        step = Step.objects.filter(case=case, name=Step.Name.CLEAR).first()
        offered = list(step.evidence.get("to_approve", [])) if step else []
        if step and unclear_too:
            offered += step.evidence.get("may_approve", [])
        amounts = {one["number"]: one["amount_minor"] for one in offered}

        def deed() -> None:
            seen = [Seen(number, amount) for number, amount in amounts.items()]
            closing.approve_write_offs(case, by=who, seen=seen)
            self._world.judge.approved(case, amounts, who.role)

        told = ", ".join(f"{number} ({amount})" for number, amount in amounts.items())
        return _done(
            deed, f"{_article(who)} approves writing off {told or 'nothing'} in {case.number}"
        )

    def release_hold(self, case: Case, uid: str) -> str:
        scope = case.scope.get(subscription__billsby_id=uid)
        return _done(
            lambda: closing.release_hold(case, by=self._world.agent, scope=scope),
            f"An agent has the pause of {uid} lifted for a click",
        )

    def retry(self, case: Case) -> str:
        return _done(
            lambda: cases.retry(case, by=self._world.agent),
            f"An agent asks the desk to try {case.number} again",
        )

    def rewrite_row(self, case: Case) -> str:
        return _done(
            lambda: closing.rewrite_row(case, by=self._world.manager),
            f"A manager has the row of {case.number} written again",
        )

    def take_off_list(self, case: Case) -> str:
        return _done(
            lambda: closing.take_off_list(case, by=self._world.manager, why="It was a mistake"),
            f"A manager has the row of {case.number} taken off the list",
        )

    def set(self, name: str, value: str) -> str:
        configuration.change(name, value)
        return f"An admin sets {name} to {value}"


def _article(who: User) -> str:
    return f"A{'n' if who.role == 'agent' else ''} {who.role}"


class AtThePanel:
    """Somebody in Billsby's control panel."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._company = world.company

    def suspend(self, uid: str) -> str:
        return self._click(lambda: self._company.panel_suspend(uid), f"{uid} to Suspended")

    def activate(self, uid: str) -> str:
        return self._click(lambda: self._company.panel_activate(uid), f"{uid} to Active")

    def cancel(self, uid: str) -> str:
        customer = self._company.subscription(uid).customer_uid
        return self._click(lambda: self._company.panel_cancel(uid, customer), f"{uid} to Cancelled")

    def move_bill_date(self, uid: str, days: int | None, *, pause: bool) -> str:
        """To so many days from now, or (None) leaving the date."""
        standing = self._company.subscription(uid).next_billing_at
        date = standing if days is None else self._world.now + dt.timedelta(days=days)
        what = f"the bill date of {uid} to {date:%d %b}, {'Paused' if pause else 'Active'}"
        return self._click(
            lambda: self._company.panel_change_bill_date(uid, date, pause=pause), what
        )

    def write_off(self, number: str) -> str:
        return self._click(
            lambda: self._company.panel_write_off(number), f"{number} to Written off"
        )

    def paid_offline(self, number: str) -> str:
        return self._click(
            lambda: self._company.panel_paid_offline(number), f"{number} to Paid offline"
        )

    def reattempt(self, number: str) -> str:
        return self._click(
            lambda: self._company.panel_reattempt(number), f"{number} to be collected again"
        )

    def _click(self, deed: Callable[[], object], what: str) -> str:
        told = _done(deed, f"A person in the panel sets {what}")
        self._world.judge.look_at_history()
        return told


class AtTheWorkbook:
    """Somebody with the workbook open."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._by_a_person = world.judge.of_the_list.a_person_is_at_it

    def edit(self, place: int, **cells: Any) -> str:
        with self._by_a_person():
            self._world.the_list.edit(place, **cells)
        told = ", ".join(f"{name} {value}" for name, value in cells.items())
        return f"A person changes line {place + 1} of the list: {told}"

    def delete(self, place: int) -> str:
        with self._by_a_person():
            row = self._world.the_list.rows.pop(place)
        return f"A person deletes line {place + 1} of the list ({row.name})"

    def repeat(self, place: int) -> str:
        rows = self._world.the_list.rows
        with self._by_a_person():
            rows.insert(0, line_of(rows[place]))
        return f"A person repeats line {place + 1} of the list"

    def write(self, case: Case, **other: Any) -> str:
        """Somebody writes a case's row by hand, as its page shows it or with another value."""
        facts = Facts.objects.get(case=case)
        row = NewRow(
            facts.name,
            facts.phone,
            facts.cancelled_on,
            facts.collected_minor,
            facts.currency,
            facts.months,
            facts.reason,
        )
        with self._by_a_person():
            self._world.the_list.rows.insert(0, line_of(self._world.the_list.listed(row)))
            self._world.the_list.edit(0, **other)
        return f"A person writes the row of {case} by hand{_with(other)}"

    def correct(self, place: int, case: Case) -> str:
        """Somebody gives a line the values that the case's page shows."""
        facts = Facts.objects.get(case=case)
        with self._by_a_person():
            self._world.the_list.edit(
                place,
                name=facts.name,
                phone=facts.phone,
                cancelled_on=facts.cancelled_on,
                collected_minor=facts.collected_minor,
                months=facts.months,
                reason=facts.reason,
            )
        return f"A person puts line {place + 1} right as {case.number} shows it"

    def put_back(self, copy: int) -> str:
        """Somebody puts an older copy of the whole file in its place."""
        with self._by_a_person():
            self._world.the_list.put_back(copy)
        rows = len(self._world.the_list.rows)
        return f"Somebody puts an older copy of the list in its place ({rows} rows)"


def _with(other: dict[str, Any]) -> str:
    told = ", ".join(f"{name} {value}" for name, value in other.items())
    return f", but with {told}" if told else ""


class Post:
    """Billsby's webhooks on their way to the desk."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._sent: list[str] = []

    def deliver(self, url: str, headers: Mapping[str, str], body: str) -> int:
        """One message arrives; the HTTP status of the answer."""
        self._sent.append(body)
        request = RequestFactory().post(
            "/hooks/billsby",
            data=body,
            content_type="application/json",
            headers=headers,
        )
        try:
            return hooks.billsby(request).status_code
        except Http404:
            return 404

    def once_more(self, which: int) -> str:
        """An old message comes again, as it was."""
        if not self._sent:
            return "No webhook has come yet"
        body = self._sent[which % len(self._sent)]
        self.deliver("", {"Secret": self._world.company.webhook_secret}, body)
        return f"An old webhook comes again: {json.loads(body)['Type']}"

    def forge(self, uid: str, customer: str, *, knows_the_secret: bool) -> str:
        """Somebody says that a subscription was suspended."""
        body = {
            "Type": "SubscriptionUpdated",
            "Id": str(uuid.UUID(int=len(self._sent))),
            "SubscriptionUniqueId": uid,
            "CustomerUniqueId": customer,
            "SubscriptionStatus": "Suspended",
        }
        secret = self._world.company.webhook_secret if knows_the_secret else "guessed"
        answer = self.deliver("", {"Secret": secret}, json.dumps(body))
        return f"A forged webhook says that {uid} is Suspended; it is answered {answer}"


def lifted(case: Case, uid: str) -> bool:
    """Whether the pause of a subscription is lifted for a click."""
    return Hold.objects.filter(
        scope__case=case, scope__subscription__billsby_id=uid, state=Hold.State.RELEASED
    ).exists()
