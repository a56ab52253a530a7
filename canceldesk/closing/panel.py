"""The clicks in Billsby's control panel that no published call can make (billsby.md 1.3, 7)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from canceldesk.cases.models import Case, CaseSubscription, Decision, State
from canceldesk.clients.models import Subscription
from canceldesk.closing.models import Hold, Step
from canceldesk.closing.shown import time
from canceldesk.configuration import services as configuration


@dataclass(frozen=True)
class Clicks:
    """What a person does in the control panel for one subscription.

    `status` is what Billsby last called it, `address` where the control panel is,
    `instructions` the clicks in their order. `hold` is the desk's pause of it, if any.
    """

    scope: CaseSubscription
    status: str
    address: str
    instructions: tuple[str, ...]
    hold: Hold | None

    @property
    def subscription(self) -> Subscription:
        """The subscription to be set to Suspended."""
        return self.scope.subscription

    @property
    def can_release(self) -> bool:
        """Whether the pause can be lifted for the click."""
        return self.hold is not None and self.hold.state == Hold.State.HELD

    @property
    def is_releasing(self) -> bool:
        """Whether somebody asked for that and the desk is about to do it."""
        return self.hold is not None and self.hold.state == Hold.State.RELEASING

    @property
    def released_until(self) -> dt.datetime | None:
        """When a lifted pause is put back, while it is lifted."""
        lifted = self.hold is not None and self.hold.state == Hold.State.RELEASED
        return self.hold.release_until if lifted and self.hold else None


def clicks_for(case: Case) -> list[Clicks]:
    """One entry per subscription that a person still has to set to Suspended.

    Empty unless the newest pass found that only the click is missing: before the invoices are
    cleared, Billsby would refuse it. Asks only the desk's own tables; with `steps`,
    `scope__subscription` and `scope__hold` prefetched it asks nothing.
    """
    if not waits_for_a_click(case):
        return []
    address = configuration.text("BILLSBY_PANEL_URL")
    return [
        _clicks(scope, address)
        for scope in sorted(case.scope.all(), key=lambda scope: scope.pk)
        if scope.subscription.is_live
    ]


def waits_for_a_click(case: Case) -> bool:
    """Whether the newest pass asked for a person's click."""
    if case.state != State.CLOSING or case.decision != Decision.SUSPEND:
        return False
    stop = next((step for step in case.steps.all() if step.name == Step.Name.STOP), None)
    return stop is not None and bool(stop.evidence.get("click"))


def _clicks(scope: CaseSubscription, address: str) -> Clicks:
    subscription = scope.subscription
    hold = getattr(scope, "hold", None)
    return Clicks(
        scope=scope,
        status=subscription.status_raw or subscription.get_status_display(),
        address=address,
        instructions=(*_still_paused(subscription, hold), *_suspend(subscription)),
        hold=hold,
    )


def _suspend(subscription: Subscription) -> tuple[str, ...]:
    return (
        "In Billsby, open Subscriptions.",
        f"Search {subscription.billsby_id} and click View.",
        "In the menu at the top right choose Update status.",
        "Choose Suspended and confirm.",
    )


def _still_paused(subscription: Subscription, hold: Hold | None) -> tuple[str, ...]:
    """Where the call did not lift the pause, Change bill date does (billsby.md 1.4)."""
    lifted = hold is not None and hold.state == Hold.State.RELEASED and hold.release_until
    if not lifted or subscription.status != Subscription.Status.PAUSED:
        return ()
    until = time(lifted, configuration.zone())
    return (
        f"Billsby still shows it as Paused. Open it, choose Change bill date, leave the date, "
        f"choose Active under Status until new bill and save. The desk leaves it so until {until}.",
    )
