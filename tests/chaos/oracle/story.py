"""The order in which a case's log entries may stand: a small grammar over the verbs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from tests.chaos.oracle.desk import Entry

DECIDED = {"Suspend": "suspend", "Cancel for good": "cancel", "Retained": "retained"}
UNDECIDED, CLOSING, CLOSED, RETAINED, WITHDRAWN = (
    "undecided",
    "closing",
    "closed",
    "retained",
    "withdrawn",
)
WRITTEN_OFF = {"done", "found"}
_STAYS = (RETAINED, WITHDRAWN)
_OPEN = (UNDECIDED, CLOSING)
_LEAVING = (UNDECIDED, CLOSING, CLOSED, *_STAYS)

PHASES: dict[str, tuple[str, ...]] = {
    "case.filed": ("",),
    "case.attempt": (UNDECIDED,),
    "case.decided": (UNDECIDED,),
    "case.taken_back": (CLOSING,),
    "case.withdrawn": (UNDECIDED,),
    "case.closed": (CLOSING,),
    "closing.facts": (CLOSING,),
    "closing.verified": (CLOSING,),
    "closing.confirmed": (CLOSING,),
    "closing.confirm_failed": (CLOSING,),
    "hold.placed": _OPEN,
    "hold.renewed": (*_OPEN, CLOSED),
    "hold.restored": _OPEN,
    "hold.release_asked": (CLOSING,),
    "hold.released": _OPEN,
    "hold.not_released": _OPEN,
    "hold.returned": _STAYS,
    "hold.failed": (*_OPEN, CLOSED),
    "row.intended": (CLOSING,),
    "row.written": (CLOSING, CLOSED),
    "row.found": (CLOSING, CLOSED),
    "row.rewrite_asked": (CLOSING, CLOSED),
    "row.removal_asked": (CLOSED,),
    "row.removal_intended": _LEAVING,
    "row.removed": _LEAVING,
    "row.removal_adopted": _LEAVING,
    "write_off.approved": _OPEN,
    "write_off.intended": (CLOSING,),
    "write_off.done": (CLOSING,),
    "write_off.failed": (CLOSING,),
    "write_off.found": (CLOSING,),
    "cancel.intended": (CLOSING,),
    "stop.seen": (CLOSING,),
    "stop.failed": (CLOSING,),
    "watch.ended": (CLOSED, RETAINED),
    "finding.settled": (CLOSED, *_STAYS),
}
"""In which phase of a case each verb may come. Verbs that are not here may come any time."""


@dataclass
class Story:
    """What a case's log has told so far. `row` is "", intended, standing, leaving or unsure (taken
    back before it was certain whether it had been written).
    """

    scope: tuple[str, ...]
    phase: str = ""
    decision: str = ""
    has_facts: bool = False
    is_verified: bool = False
    row: str = ""
    is_removal_intended: bool = False
    approved: set[str] = field(default_factory=set)
    written_off: dict[str, str] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)
    cancelling: set[str] = field(default_factory=set)
    seen: list[str] = field(default_factory=list)

    def tell(self, entry: Entry) -> Iterator[str]:
        """Take the next entry in; complaints about its place."""
        phases = PHASES.get(entry.verb)
        if phases is not None and self.phase not in phases:
            yield f"{entry.verb} comes while the case is {self.phase or 'not filed yet'}"
        if phases is None and not self.phase:
            yield f"{entry.verb} comes before the case was filed"
        if (rule := _RULES.get(entry.verb)) is not None:
            yield from rule(self, entry)


Rule = Callable[[Story, Entry], Iterator[str]]


def _filed(story: Story, _entry: Entry) -> Iterator[str]:
    story.phase = UNDECIDED
    yield from ()


def _decided(story: Story, entry: Entry) -> Iterator[str]:
    story.decision = DECIDED.get(entry.text("decision"), "")
    if not story.decision:
        yield f"nobody knows a decision called {entry.text('decision')!r}"
    story.phase = RETAINED if story.decision == "retained" else CLOSING
    story.has_facts = story.is_verified = False


def _taken_back(story: Story, _entry: Entry) -> Iterator[str]:
    if WRITTEN_OFF & set(story.written_off.values()):
        yield "the decision is taken back although an invoice was written off"
    if any("Cancelled" in seen for seen in story.seen):
        yield "the decision is taken back although a service was cancelled"
    story.phase, story.decision = UNDECIDED, ""
    story.row = {"standing": "leaving", "intended": "unsure"}.get(story.row, story.row)


def _withdrawn(story: Story, _entry: Entry) -> Iterator[str]:
    story.phase = WITHDRAWN
    yield from ()


def _facts(story: Story, _entry: Entry) -> Iterator[str]:
    if story.has_facts:
        yield "the facts are taken a second time for one decision"
    if story.row in {"intended", "standing"}:
        yield "the facts are taken after the row was written or about to be"
    story.has_facts = True


def _verified(story: Story, _entry: Entry) -> Iterator[str]:
    if not story.has_facts:
        yield "both halves are verified before the facts were taken"
    if story.row != "standing":
        yield "both halves are verified, but no row is on the list by then"
    for subscription in story.scope:
        if not any(subscription in seen for seen in story.seen):
            yield f"both halves are verified before {subscription} was seen to be stopped"
    story.is_verified = True


def _closed(story: Story, _entry: Entry) -> Iterator[str]:
    if not story.is_verified:
        yield "the case is closed before both halves were verified"
    story.phase = CLOSED


def _placed(story: Story, entry: Entry) -> Iterator[str]:
    story.held.add(entry.text("subscription"))
    yield from ()


def _of_a_hold(story: Story, entry: Entry) -> Iterator[str]:
    if entry.text("subscription") not in story.held:
        yield f"{entry.verb} comes although no hold was placed on {entry.text('subscription')}"


def _row_intended(story: Story, _entry: Entry) -> Iterator[str]:
    if not story.has_facts:
        yield "a row is about to be written before the facts were taken"
    if story.row not in {"", "unsure"}:
        yield f"a row is about to be written while one is {story.row}"
    story.row = "intended"


def _row_stands(story: Story, _entry: Entry) -> Iterator[str]:
    if story.row != "intended":
        yield "a row is on the list that was not about to be written"
    story.row = "standing"


def _rewrite_asked(story: Story, _entry: Entry) -> Iterator[str]:
    if story.row == "leaving":
        yield "a row is to be written again while it is leaving"
    story.row = "intended"
    yield from ()


def _removal_asked(story: Story, _entry: Entry) -> Iterator[str]:
    if story.row != "standing":
        yield "a row is to be taken off that is not on the list"
    story.row = "leaving"


def _removal_intended(story: Story, _entry: Entry) -> Iterator[str]:
    if story.row not in {"leaving", "unsure"}:
        yield "a row is about to be taken off that is to stay"
    story.is_removal_intended = True


def _removed(story: Story, entry: Entry) -> Iterator[str]:
    if story.row not in {"leaving", "unsure"}:
        yield "a row was taken off that is to stay"
    if entry.verb == "row.removed" and not story.is_removal_intended:
        yield "a row was taken off before that was intended"
    story.row, story.is_removal_intended = "", False


def _approved(story: Story, entry: Entry) -> Iterator[str]:
    story.approved |= set(entry.text("invoices").split(", "))
    yield from ()


def _write_off(story: Story, entry: Entry) -> Iterator[str]:
    number, step = entry.text("invoice"), entry.verb.removeprefix("write_off.")
    before = story.written_off.get(number, "")
    if step == "intended":
        if number not in story.approved:
            yield f"invoice {number} is about to be written off before anybody approved it"
        if not story.has_facts:
            yield f"invoice {number} is about to be written off before the facts were taken"
    elif not before:
        yield f"{entry.verb} of {number} comes before it was intended"
    elif step == "found" and before != "failed":
        yield f"{entry.verb} of {number} comes although nobody was refused it"
    if before in WRITTEN_OFF:
        yield f"{entry.verb} of {number} comes after it was written off"
    story.written_off[number] = step


def _cancel_intended(story: Story, entry: Entry) -> Iterator[str]:
    if story.decision != "cancel":
        yield "a service is about to be cancelled, and that was not decided"
    story.cancelling.add(entry.text("subscription"))


def _seen(story: Story, entry: Entry) -> Iterator[str]:
    told = f"{entry.text('subscription')} {entry.text('status')}"
    if told in story.seen:
        yield f"it is told twice that {told}"
    story.seen.append(told)


_RULES: dict[str, Rule] = {
    "case.filed": _filed,
    "case.decided": _decided,
    "case.taken_back": _taken_back,
    "case.withdrawn": _withdrawn,
    "case.closed": _closed,
    "closing.facts": _facts,
    "closing.verified": _verified,
    "hold.placed": _placed,
    "hold.renewed": _of_a_hold,
    "hold.restored": _of_a_hold,
    "hold.released": _of_a_hold,
    "hold.not_released": _of_a_hold,
    "row.intended": _row_intended,
    "row.written": _row_stands,
    "row.found": _row_stands,
    "row.rewrite_asked": _rewrite_asked,
    "row.removal_asked": _removal_asked,
    "row.removal_intended": _removal_intended,
    "row.removed": _removed,
    "row.removal_adopted": _removed,
    "write_off.approved": _approved,
    "write_off.intended": _write_off,
    "write_off.done": _write_off,
    "write_off.failed": _write_off,
    "write_off.found": _write_off,
    "cancel.intended": _cancel_intended,
    "stop.seen": _seen,
}
