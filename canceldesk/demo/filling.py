"""Cases in every state, made as people would: through the services, by real passes and by
clicks in the practice Billsby's control panel.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass

from canceldesk import clock
from canceldesk.accounts.models import User
from canceldesk.cases import services as cases
from canceldesk.cases.models import Case, Channel, Decision, Message, Reason, State, Wish
from canceldesk.clients.models import Client
from canceldesk.clients.refreshing import subscriptions_of
from canceldesk.closing.models import Step
from canceldesk.demo.practice import Practice
from canceldesk.retention import services as retention
from canceldesk.retention.models import Attempt

PASSES_TAKE = 60.0
LOOK_EVERY = 0.2


@dataclass(frozen=True)
class Request:
    """A client's wish as it came in, so many hours ago. `client` is their Billsby ID."""

    client: str
    reason: str
    words: str
    hours_ago: float
    channel: Channel = Channel.CALL
    wish: Wish = Wish.SUSPEND


NORA = Request(
    "NORA000002", "money_is_short", "I lost some hours at work, I have to stop for now.", 1.5
)
CLARA = Request("CLEAN00001", "not_using_it", "I never find the time.", 3, Channel.EMAIL)
HUGO = Request("CLEAN00002", "no_results", "Eight months and my score moved by ten points.", 26)
PETRA = Request("CLEAN00003", "too_expensive", "Is there anything cheaper?", 50, Channel.TEXT)
SILAS = Request("CLEAN00004", "goal_reached", "I got the mortgage. Thank you!", 20)
DALE = Request("DALE000447", "money_is_short", "Please stop, I cannot pay these.", 28)
TESSA = Request("CLEAN00005", "service", "Nobody called me back.", 75)
LEON = Request("CLEAN00006", "other", "Please stop the reminder texts.", 44, Channel.TEXT)
WILMA = Request("CLEAN00007", "life_change", "We are moving abroad.", 70)
ARTHUR = Request("CLEAN00008", "switching", "My bank offers it for free.", 32, Channel.EMAIL)


class DidNotHappenError(Exception):
    """A pass did not bring a case where it should be; the text says which and where it stands."""


@dataclass(frozen=True)
class Filling:
    """Who makes the cases, and where the clicks go."""

    agent: User
    manager: User
    practice: Practice

    def fill(self) -> None:
        """Make all of them; those that need no pass come first, so that pages soon show some.

        Raises DidNotHappenError.
        """
        self._file(NORA)
        self._file(CLARA)
        self._in_retention()
        self._withdrawn()
        self._retained()
        waiting_for_click = self._decided(SILAS)
        waiting_for_approval = self._decided(DALE)
        to_close = [self._decided(WILMA), self._decided(ARTHUR)]
        for case in to_close:
            self._close(case)
        self._until(waiting_for_click, _asks_for_a_click)
        self._until(waiting_for_approval, _asks_for_approval)

    def _file(self, request: Request) -> Case:
        client = Client.objects.get(billsby_id=request.client)
        live = [one for one in subscriptions_of(client) if not one.is_stopped]
        return cases.file_request(
            by=self.agent,
            client=client,
            subscriptions=live,
            wish=request.wish,
            channel=request.channel,
            reason=Reason.objects.get(key=request.reason),
            reason_words=request.words,
            note=request.words,
            received_at=clock.now() - dt.timedelta(hours=request.hours_ago),
        )

    def _in_retention(self) -> None:
        hugo = self._file(HUGO)
        self._attempt(hugo, 22, Attempt.Offer.LISTENED, Attempt.Answer.NO_ANSWER, "Voicemail.")
        self._attempt(
            hugo, 4, Attempt.Offer.HELP, Attempt.Answer.THINKING, "Wants to see his disputes first."
        )
        petra = self._file(PETRA)
        self._attempt(
            petra,
            30,
            Attempt.Offer.PLAN_CHANGE,
            Attempt.Answer.THINKING,
            "Offered Credit Monitoring at $49; she asks her husband.",
        )
        cases.add_message(
            petra,
            by=self.agent,
            direction=Message.Direction.IN,
            channel=Channel.TEXT,
            body="We will tell you on Friday.",
        )

    def _withdrawn(self) -> None:
        leon = self._file(LEON)
        cases.withdraw(
            leon,
            by=self.agent,
            because=cases.WithdrawBecause.NOT_A_CANCELLATION,
            words="he only wants no texts",
        )

    def _retained(self) -> None:
        tessa = self._file(TESSA)
        self._attempt(
            tessa,
            60,
            Attempt.Offer.DISCOUNT,
            Attempt.Answer.ACCEPTED,
            "Apologised; one month at half price and a call every second week.",
        )
        retention.decide(tessa, by=self.manager, decision=Decision.RETAINED)

    def _decided(self, request: Request) -> Case:
        case = self._file(request)
        self._attempt(
            case, request.hours_ago / 2, Attempt.Offer.PAUSE, Attempt.Answer.REFUSED, "Is sure."
        )
        retention.decide(case, by=self.manager, decision=Decision.SUSPEND)
        return case

    def _attempt(
        self,
        case: Case,
        hours_ago: float,
        offer: Attempt.Offer,
        answer: Attempt.Answer,
        note: str,
    ) -> None:
        retention.attempt(
            case,
            by=self.manager,
            channel=Channel.CALL,
            offer=offer,
            answer=answer,
            note=note,
            at=clock.now() - dt.timedelta(hours=hours_ago),
        )

    def _close(self, case: Case) -> None:
        self._until(case, _asks_for_a_click)
        for scope in case.scope.select_related("subscription"):
            self.practice.suspend(scope.subscription.billsby_id)
        self._until(case, lambda found: found.state == State.CLOSED)

    def _until(self, case: Case, is_so: Callable[[Case], bool]) -> None:
        until = time.monotonic() + PASSES_TAKE
        while time.monotonic() < until:
            case.refresh_from_db()
            if is_so(case):
                return
            time.sleep(LOOK_EVERY)
        raise DidNotHappenError(f"{case} still waits: {case.waits_sentence}")


def _asks_for_a_click(case: Case) -> bool:
    return _step(case, Step.Name.STOP).get("click") is True


def _asks_for_approval(case: Case) -> bool:
    return bool(_step(case, Step.Name.CLEAR).get("to_approve"))


def _step(case: Case, name: Step.Name) -> dict[str, object]:
    step = Step.objects.filter(case=case, name=name, state=Step.State.WAITING).first()
    return dict(step.evidence) if step else {}
