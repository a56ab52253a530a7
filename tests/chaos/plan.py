"""The plan of a run: which clients Billsby has, and what people do with each of their wishes.

Pure: the same seed and number give the same plan. What really happens differs, because real
processes differ; what people mean to do does not.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum

from tests.chaos.clientele import Clientele, PlannedClient, Wanted


class Approval(StrEnum):
    """Who approves writing off what is owed."""

    NONE = "none"
    AGENT = "agent"
    MANAGER = "manager"
    AGENT_IS_REFUSED = "agent is refused, then manager"
    WITH_DECISION = "with the decision"


class Click(StrEnum):
    """How a person sets the services to Suspended in Billsby's control panel."""

    NONE = "none"
    SOON = "soon"
    LATE = "late"
    EARLY = "before anybody asked"
    TWICE = "twice"
    WRONG_FIRST = "another service first"
    RELEASE_FIRST = "release the hold first"
    IN_PEACE = "not before the end"


class Row(StrEnum):
    """What a person does to the case's row on the list."""

    KEPT = "kept"
    BY_HAND = "written by hand before"
    DELETED = "deleted, then written again"
    CHANGED = "changed, then put right"
    TAKEN_OFF = "taken off after the end"
    PUT_BACK = "taken off and put back"


TAKEN_BACK = "taken_back"
RETAINED, SUSPEND, CANCEL = "retained", "suspend", "cancel"
NOT_A_CANCELLATION, DUPLICATE, CHANGED_MIND = "not_a_cancellation", "duplicate", "changed_mind"
STOPPING = (SUSPEND, CANCEL)
WITHDRAWING = (NOT_A_CANCELLATION, DUPLICATE, CHANGED_MIND)


@dataclass(frozen=True)
class PlannedCase:
    """One wish and what people do about it.

    `turns` are the words in their order: decisions, `taken_back`, or why it is withdrawn.
    `after` is the key of a case of the same client that has to end first. `begins` is when it is
    filed, as a share of the busy time. `reason` is the place of the reason in the form.
    """

    key: str
    story: str
    client: str
    scope: tuple[str, ...]
    turns: tuple[str, ...]
    begins: float
    filed_by: str
    channel: str
    wish: str
    reason: int
    words: str
    attempts: int
    approval: Approval
    click: Click
    row: Row
    files_twice: bool
    decides_twice: bool
    after: str = ""

    @property
    def end(self) -> str:
        """The last word."""
        return self.turns[-1]


@dataclass(frozen=True)
class Plan:
    """Everything that is meant to happen. `quirks` are how Billsby is in this run."""

    seed: int
    clients: tuple[PlannedClient, ...]
    cases: tuple[PlannedCase, ...]
    quirks: dict[str, str]

    def client(self, client_id: str) -> PlannedClient:
        """The client of that Billsby ID."""
        return next(one for one in self.clients if one.id == client_id)

    def summary(self) -> dict[str, int]:
        """How many cases there are of each story."""
        return dict(sorted(Counter(case.story for case in self.cases).items()))


@dataclass(frozen=True)
class Story:
    """A kind of case: how often, what its client is like, and what is done."""

    weight: int
    turns: tuple[str, ...] = (SUSPEND,)
    client: Wanted = field(default_factory=Wanted)
    scope: int = 0
    approval: Approval = Approval.NONE
    row: Row = Row.KEPT
    click: Click | None = None

    @property
    def services(self) -> int:
        """How many of the client's services are to stop."""
        return self.scope or self.client.services


STORIES: dict[str, Story] = {
    "suspend": Story(20),
    "suspend_charged_soon": Story(5, client=Wanted(soon=True)),
    "suspend_in_trial": Story(2, client=Wanted(first="InTrial")),
    "suspend_paused": Story(2, client=Wanted(first="Paused")),
    "suspend_all_services": Story(7, client=Wanted(services=2)),
    "suspend_two_of_four": Story(3, client=Wanted(services=4), scope=2),
    "suspend_one_of_two": Story(5, client=Wanted(services=2), scope=1),
    "owes_little": Story(6, client=Wanted(owes="little"), approval=Approval.AGENT),
    "owes_much": Story(6, client=Wanted(owes="much"), approval=Approval.AGENT_IS_REFUSED),
    "owes_manager": Story(3, client=Wanted(owes="much"), approval=Approval.MANAGER),
    "owes_decided": Story(4, client=Wanted(owes="much"), approval=Approval.WITH_DECISION),
    "owes_pending": Story(3, client=Wanted(owes="pending"), approval=Approval.MANAGER),
    "owes_scheduled": Story(3, client=Wanted(owes="scheduled"), approval=Approval.AGENT),
    "owes_one_time": Story(3, client=Wanted(owes="one_time"), approval=Approval.AGENT),
    "owes_for_another": Story(2, client=Wanted(services=2, owes="other"), scope=1),
    "cancel": Story(7, (CANCEL,)),
    "cancel_several": Story(2, (CANCEL,), Wanted(services=3), scope=2),
    "cancel_owes": Story(3, (CANCEL,), Wanted(owes="little"), approval=Approval.MANAGER),
    "retained": Story(6, (RETAINED,)),
    "retained_charged_soon": Story(5, (RETAINED,), Wanted(soon=True)),
    "not_a_cancellation": Story(3, (NOT_A_CANCELLATION,)),
    "changed_mind": Story(3, (CHANGED_MIND,), Wanted(soon=True)),
    "back_and_suspend": Story(4, (SUSPEND, TAKEN_BACK, SUSPEND)),
    "back_and_cancel": Story(2, (SUSPEND, TAKEN_BACK, CANCEL)),
    "back_and_retained": Story(4, (SUSPEND, TAKEN_BACK, RETAINED)),
    "row_by_hand": Story(2, row=Row.BY_HAND),
    "row_deleted": Story(3, row=Row.DELETED),
    "row_changed": Story(2, row=Row.CHANGED),
    "row_taken_off": Story(3, row=Row.TAKEN_OFF),
    "row_put_back": Story(2, row=Row.PUT_BACK),
    "wrong_service": Story(2, client=Wanted(services=2), scope=1, click=Click.WRONG_FIRST),
}
EVERY_END = (
    "suspend", "cancel", "retained", "not_a_cancellation", "changed_mind", "filed_twice",
    "back_and_suspend", "back_and_retained", "owes_little", "owes_much", "suspend_all_services",
    "row_deleted", "row_taken_off", "owes_pending", "row_by_hand", "twins", "retained_then_left",
)  # fmt: skip
"""What a plan of twenty cases has at least: every end there is."""
TWO_CASES = (
    "twins", "filed_twice", "retained_then_left", "suspended_then_cancelled",
    "stayed_then_waits", "mistaken_then_waits",
)  # fmt: skip
"""Stories of two cases each, told by functions of their own."""
_WEIGHT_OF_TWO = 2
_SPREAD = 0.8
"""In which share of the busy time everything is filed."""
WORDS = (
    "",
    "",
    "It costs too much.",
    'He said "never again", twice',
    "=SUM(1)+1 is what I paid",
    "Zahlt nicht mehr: größer & teurer <als> gedacht",
    "two\nlines of it",
    "  spaces  ",
    "'quoted",
)
_CLICKS = {
    Click.SOON: 8,
    Click.LATE: 6,
    Click.EARLY: 2,
    Click.TWICE: 2,
    Click.RELEASE_FIRST: 2,
    Click.IN_PEACE: 2,
}


def make_plan(seed: int, cases: int) -> Plan:
    """A plan of so many cases that has every story in it when there is room."""
    rng = random.Random(f"{seed}/plan")
    maker = _Maker(rng)
    for name in _told(rng, cases):
        maker.tell(name)
    made = maker.cases
    step = _SPREAD / max(1, len(made))
    spread = [
        replace(case, begins=round(step * place + rng.uniform(0, step), 4))
        for place, case in enumerate(made)
    ]
    return Plan(seed, tuple(maker.clients), tuple(spread), _quirks(rng))


def _told(rng: random.Random, cases: int) -> Iterator[str]:
    """So many stories, each of them once as far as there is room, in any order."""
    every = [*STORIES, *TWO_CASES]
    weights = [*(story.weight for story in STORIES.values()), *[_WEIGHT_OF_TWO] * len(TWO_CASES)]
    rest = rng.choices(every, weights, k=cases)
    chosen: list[str] = []
    count = 0
    others = [name for name in every if name not in EVERY_END]
    for name in [*EVERY_END, *rng.sample(others, len(others)), *rest]:
        size = 2 if name in TWO_CASES else 1
        if count + size <= cases:
            chosen.append(name)
            count += size
    rng.shuffle(chosen)
    return iter(chosen)


def _quirks(rng: random.Random) -> dict[str, str]:
    return {
        "suspend_offered_while_paused": rng.choice(("yes", "yes", "no")),
        "pause_lifted_by_false": rng.choice(("yes", "yes", "no")),
        "status_spelling": rng.choice(("joined", "spaced", "lower")),
        "error_body": rng.choice(("empty", "message", "html")),
        "api_cancel_blocked": rng.choice(("400_empty", "409_message")),
        "write_off_repeat": rng.choice(("success", "400")),
        "suspended_next_billing": rng.choice(("shown", "empty")),
        "renewaldate_while_suspended": rng.choice(("status_kept", "refused")),
        "invoice_detail_status": rng.choice(("customer", "invoice")),
        "subscription_id_spelling": rng.choice(("subscriptionUniqueID", "subscriptionUniqueId")),
        "webhook_order": rng.choice(("oldest_first", "newest_first")),
        "webhook_duplicates": rng.choice(("0", "1")),
        "webhook_loss": rng.choice(("0", "10", "30")),
    }


class _Maker:
    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._clientele = Clientele(rng)
        self.clients: list[PlannedClient] = []
        self.cases: list[PlannedCase] = []

    def tell(self, name: str) -> None:
        """Add the cases of one story."""
        match name:
            case "twins":
                self._twins()
            case "filed_twice":
                self._filed_twice()
            case "retained_then_left":
                self._one_after_another(name, RETAINED, SUSPEND)
            case "suspended_then_cancelled":
                self._one_after_another(name, SUSPEND, CANCEL)
            case "stayed_then_waits":
                self._held_again_and_left_so(name, RETAINED)
            case "mistaken_then_waits":
                self._held_again_and_left_so(name, NOT_A_CANCELLATION)
            case _:
                story = STORIES[name]
                self._add(name, self._client(name, story.client), story)

    def _client(self, name: str, wanted: Wanted) -> PlannedClient:
        made = self._clientele.make(name, wanted)
        self.clients.append(made)
        return made

    def _twins(self) -> None:
        """Two clients whose rows nobody can tell apart but by the case number."""
        one = self._client("twins", Wanted())
        other = self._clientele.twin(one)
        self.clients.append(other)
        first = self._add("twins", one, Story(0))
        scope = tuple(service.id for service in other.subscriptions)
        self._keep(replace(first, key=self._key(), client=other.id, scope=scope))

    def _filed_twice(self) -> None:
        client = self._client("filed_twice", Wanted(services=2))
        first = self._add("filed_twice", client, Story(0, scope=1), click=Click.IN_PEACE)
        scope = (client.subscriptions[1].id,)
        again = replace(first, key=self._key(), scope=scope, turns=(DUPLICATE,), click=Click.NONE)
        self._keep(replace(again, attempts=0))

    def _held_again_and_left_so(self, name: str, first_end: str) -> None:
        """A client who is charged soon is held for a case that comes to nothing, and the same day
        for another, which nobody clicks for before the end: two holds until the same day.
        """
        first = self._add(name, self._client(name, Wanted(soon=True)), Story(0, (first_end,)))
        then = replace(first, key=self._key(), turns=(SUSPEND,), after=first.key)
        self._keep(replace(then, wish=SUSPEND, click=Click.IN_PEACE))

    def _one_after_another(self, name: str, first_end: str, second_end: str) -> None:
        client = self._client(name, Wanted())
        click = Click.SOON if first_end == SUSPEND else Click.NONE
        first = self._add(name, client, Story(0, (first_end,)), click=click)
        then = replace(first, key=self._key(), turns=(second_end,), after=first.key)
        click = Click.NONE if second_end == CANCEL else Click.SOON
        self._keep(replace(then, wish=second_end, click=click))

    def _add(
        self, name: str, client: PlannedClient, story: Story, *, click: Click | None = None
    ) -> PlannedCase:
        rng = self._rng
        scope = tuple(service.id for service in client.subscriptions[: story.services])
        if SUSPEND not in story.turns[-1:]:
            click = click or Click.NONE
        made = PlannedCase(
            key=self._key(),
            story=name,
            client=client.id,
            scope=scope,
            turns=story.turns,
            begins=0.0,
            filed_by=rng.choice(("agent", "agent", "agent", "manager")),
            channel=rng.choice(("call", "call", "text", "email")),
            wish=self._wish(story),
            reason=rng.randrange(9),
            words=rng.choice(WORDS),
            attempts=self._attempts(story),
            approval=story.approval,
            click=click or story.click or self._click(story),
            row=story.row,
            files_twice=rng.random() < 0.15,
            decides_twice=rng.random() < 0.1,
        )
        return self._keep(made)

    def _keep(self, case: PlannedCase) -> PlannedCase:
        self.cases.append(case)
        return case

    def _key(self) -> str:
        return f"case-{len(self.cases) + 1:04d}"

    def _wish(self, story: Story) -> str:
        fitting = CANCEL if CANCEL in story.turns else SUSPEND
        return self._rng.choice((fitting, fitting, "unsure"))

    def _attempts(self, story: Story) -> int:
        if story.turns[-1] == NOT_A_CANCELLATION:
            return 0
        least = 1 if story.turns[-1] in {RETAINED, CHANGED_MIND} else 0
        return self._rng.choice((least, least, 1, 2))

    def _click(self, story: Story) -> Click:
        """The row can only be played with while the case waits, so the click comes late then; a
        decision that is taken back was not clicked for.
        """
        if story.row in {Row.DELETED, Row.CHANGED} or TAKEN_BACK in story.turns:
            return Click.LATE
        kinds = list(_CLICKS)
        return self._rng.choices(kinds, weights=[_CLICKS[kind] for kind in kinds])[0]
