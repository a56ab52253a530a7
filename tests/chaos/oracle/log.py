"""The log tells the whole story, in order, and nobody has touched it."""

from __future__ import annotations

from collections.abc import Iterator

from tests.chaos.oracle.desk import OPEN
from tests.chaos.oracle.evidence import Evidence
from tests.chaos.oracle.placing import of_lines
from tests.chaos.oracle.practice import API, STOPPED, Event
from tests.chaos.oracle.stopping import MOVES
from tests.chaos.oracle.story import Story
from tests.chaos.oracle.violation import Violation

OF_MANAGERS = (
    "case.attempt",
    "case.decided",
    "case.taken_back",
    "row.removal_asked",
    "row.rewrite_asked",
    "finding.settled",
)
OF_PEOPLE = (*OF_MANAGERS, "case.filed", "case.withdrawn", "write_off.approved")
TOLD = {
    "attempted": "case.attempt",
    "retried": "case.retried",
    "decided": "case.decided",
    "withdrawn": "case.withdrawn",
    "taken_back": "case.taken_back",
    "approved": "write_off.approved",
    "released": "hold.release_asked",
    "taken_off": "row.removal_asked",
    "rewritten": "row.rewrite_asked",
}
"""What people do, and the verb by which the log tells of it."""


def each_story_is_in_order(evidence: Evidence) -> Iterator[Violation]:
    """Filed before decided before facts before row before closed, and all the rest."""
    for case in evidence.desk.cases.values():
        story = Story(case.scope)
        for entry in evidence.desk.story(case.id):
            for complaint in story.tell(entry):
                yield Violation(
                    "log_out_of_order",
                    case.number,
                    f"The log of case {case.number} is out of order: {complaint}.",
                    (str(entry),),
                )
        phase = "undecided" if case.state in OPEN[:2] else case.state
        if story.phase != phase:
            yield Violation(
                "log_disagrees",
                case.number,
                f"Case {case.number} is {case.state}, but by its log it is "
                f"{story.phase or 'not even filed'}.",
                (str(case), *map(str, evidence.desk.story(case.id)[-3:])),
            )


def the_log_grows_in_time(evidence: Evidence) -> Iterator[Violation]:
    """Later entries are not dated earlier, but for the steps of the clock that the run made."""
    for entry in evidence.timing.impossible:
        yield Violation(
            "log_goes_back_in_time",
            f"log {entry.id}",
            f"Log entry {entry.id} is dated {entry.at.isoformat()}, before entries that came "
            "earlier, and no step of the clock explains it.",
            (str(entry),),
        )


def no_entry_is_changed_or_gone(evidence: Evidence) -> Iterator[Violation]:
    """Every entry of a copy taken during the run is in the log as it was."""
    now = {entry.id: entry for entry in evidence.desk.log}
    for name, entries in evidence.log_copies:
        for entry in entries:
            if entry.id not in now:
                yield Violation(
                    "log_entry_gone",
                    f"log {entry.id}",
                    f"Log entry {entry.id} was there during the run and is gone.",
                    (f"{name}: {entry}",),
                )
            elif now[entry.id] != entry:
                yield Violation(
                    "log_entry_changed",
                    f"log {entry.id}",
                    f"Log entry {entry.id} was another one during the run.",
                    (f"{name}: {entry}", f"now: {now[entry.id]}"),
                )


def deeds_are_by_those_who_may(evidence: Evidence) -> Iterator[Violation]:
    """People's deeds have a person behind them, and managers' deeds a manager."""
    for entry in evidence.desk.log:
        if entry.verb in OF_PEOPLE and entry.by is None:
            yield Violation(
                "deed_of_nobody",
                f"log {entry.id}",
                f"Nobody stands behind {entry.verb}, which only people do.",
                (str(entry),),
            )
        elif entry.verb in OF_MANAGERS and not evidence.desk.manages(entry.by):
            yield Violation(
                "deed_without_authority",
                f"log {entry.id}",
                f"Somebody who is no manager did what only managers may: {entry.verb}.",
                (str(entry),),
            )


def what_people_did_is_told(evidence: Evidence) -> Iterator[Violation]:
    """A deed that somebody was told has succeeded stands in the case's log."""
    numbers = {case.number: case for case in evidence.desk.cases.values()}
    for deed in evidence.journal.of(*TOLD):
        case = numbers.get(str(deed.facts.get("case")))
        if not deed.succeeded or case is None:
            continue
        verbs = {entry.verb for entry in evidence.desk.story(case.id)}
        if TOLD[deed.what] not in verbs:
            yield Violation(
                "deed_not_told",
                case.number,
                f"Somebody was told that case {case.number} is {deed.what}, and its log does not "
                "say so.",
                (str(deed), str(case)),
            )


def writes_at_billsby_are_intended_and_told(evidence: Evidence) -> Iterator[Violation]:
    """What cannot be undone has its intent in the log before it; what was done is told."""
    for event in evidence.billsby.history:
        if event.who != API:
            continue
        if event.what == "invoice written off":
            yield from _write(evidence, event, "write_off", "invoice")
        elif event.what == "subscription cancelled":
            yield from _write(evidence, event, "cancel", "subscription")
        elif event.what in MOVES:
            yield from _hold(evidence, event)


def _write(evidence: Evidence, event: Event, kind: str, name: str) -> Iterator[Violation]:
    client = event.after["customer_uid"]
    cases = [case for case in evidence.desk.cases.values() if case.client == client]
    stories = [entry for case in cases for entry in evidence.desk.story(case.id)]
    about = [entry for entry in stories if event.subject in entry.text(name)]
    latest = event.real_at + evidence.timing.slack
    intended = [e for e in about if e.verb == f"{kind}.intended"]
    if not any(evidence.timing.real(entry) <= latest for entry in intended):
        yield Violation(
            "write_without_intent",
            event.subject,
            f"At Billsby {event.what} for {event.subject} has no intent in the log before it.",
            (str(event), *map(str, intended)),
        )
    # One that came late, after its repeat was refused, looks as though somebody else had done it.
    told = {"write_off.done", "write_off.found"} if kind == "write_off" else {"stop.seen"}
    waits = any(case.is_open and case.waits_for_person for case in cases)
    if not waits and not any(entry.verb in told for entry in about):
        yield Violation(
            "write_not_told",
            event.subject,
            f"The log never tells that at Billsby {event.what} for {event.subject}.",
            (str(event), *map(str, intended)),
        )


def _hold(evidence: Evidence, event: Event) -> Iterator[Violation]:
    """The intent of a hold is a record of its own. One whose answer never came need not be told
    of when a person stopped the service before the desk looked again, or just before it came.
    """
    if not any(hold.subscription == event.subject for hold in evidence.desk.holds):
        yield Violation(
            "write_without_intent",
            event.subject,
            f"The desk changed the next charge of {event.subject} at Billsby and has no record of "
            "a hold.",
            (str(event),),
        )
    about = [
        entry
        for case in evidence.desk.cases_of(event.subject)
        for entry in evidence.desk.story(case.id)
        if event.subject in entry.text("subscription")
    ]
    since = [e for e in evidence.billsby.events(event.subject) if e.id >= event.id]
    is_stopped = any(one.after["status"] in STOPPED for one in since)
    if not is_stopped and not any(e.verb in {"hold.placed", "hold.returned"} for e in about):
        yield Violation(
            "write_not_told",
            event.subject,
            f"The log never tells that the desk held {event.subject}.",
            (str(event),),
        )


def rows_are_intended_and_told(evidence: Evidence) -> Iterator[Violation]:
    """A row on the list is one that the log says was about to be written, and was."""
    placed = of_lines(evidence)
    for case in evidence.desk.cases.values():
        verbs = [entry.verb for entry in evidence.desk.story(case.id)]
        for line in placed.lines(case):
            missing = [verb for verb in ("row.intended",) if verb not in verbs]
            if case.state == "closed" and not {"row.written", "row.found"} & set(verbs):
                missing.append("row.written")
            if missing:
                yield Violation(
                    "row_not_told",
                    case.number,
                    f"Case {case.number} is on the list, and its log does not tell of "
                    f"{' and '.join(missing)}.",
                    (str(line),),
                )
