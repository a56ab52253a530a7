"""Everything has come to an end, or waits for a person who is told why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from tests.chaos.oracle.desk import STAYS
from tests.chaos.oracle.evidence import Evidence
from tests.chaos.oracle.violation import Violation

FEWEST_WORDS = 5
LONGEST_LEASE = dt.timedelta(seconds=60)
OVERDUE = dt.timedelta(minutes=3)
ENDED_HOLDS = ("returned", "over")
UNSETTLED_ROWS = ("intended", "sent", "unwanted", "leaving")


def every_case_has_converged(evidence: Evidence) -> Iterator[Violation]:
    """Closed, retained or withdrawn; or open with a sentence for the person it waits for."""
    for case in evidence.desk.cases.values():
        if case.is_open and not case.waits_for_person:
            yield Violation(
                "not_converged",
                case.number,
                f"Case {case.number} is still {case.state} and waits for {case.waits_for}, not "
                "for a person.",
                (str(case), *map(str, evidence.desk.story(case.id)[-2:])),
            )
        elif case.waits_for_person and len(case.sentence.split()) < FEWEST_WORDS:
            yield Violation(
                "waits_without_a_sentence",
                case.number,
                f"Case {case.number} waits for a person and does not say for what: "
                f'"{case.sentence}".',
                (str(case),),
            )


def no_lease_is_left(evidence: Evidence) -> Iterator[Violation]:
    """A lease in force for longer than any lease is would keep the case from everybody. Short
    ones may be left: the run ends by killing everybody.
    """
    deeds = evidence.journal.deeds
    latest = evidence.journal.desk_time(deeds[-1].at) + LONGEST_LEASE if deeds else None
    for case in evidence.desk.cases.values():
        if latest is not None and case.lease_until is not None and case.lease_until > latest:
            yield Violation(
                "lease_left",
                case.number,
                f"Nobody works any more, but {case.lease_owner or 'somebody'} has the lease on "
                f"case {case.number} for a long time to come.",
                (str(case), f"until {case.lease_until}"),
            )


def nothing_is_overdue(evidence: Evidence) -> Iterator[Violation]:
    """A pass that has long been due when the desk stopped was forgotten."""
    stopped = evidence.journal.end_of_work
    if stopped is None:
        return
    latest = evidence.journal.desk_time(stopped) - OVERDUE
    for case in evidence.desk.cases.values():
        if case.next_pass_at is not None and case.next_pass_at < latest:
            yield Violation(
                "overdue",
                case.number,
                f"Case {case.number} has been due since {case.next_pass_at.isoformat()} and "
                "nobody looked at it.",
                (str(case), f"the desk's clock showed {(latest + OVERDUE).isoformat()}"),
            )


def nothing_is_half_done(evidence: Evidence) -> Iterator[Violation]:
    """An ended case has no hold that stands and no row on its way, unless it says why."""
    cases = evidence.desk.cases
    for hold in evidence.desk.holds:
        case = cases[hold.case]
        stays = case.state in STAYS and not case.waits_for_person
        if stays and hold.state not in ENDED_HOLDS:
            yield Violation(
                "hold_not_ended",
                case.number,
                f"Case {case.number} is {case.state}, but by the desk's own record the hold on "
                f"{hold.subscription} is still {hold.state}.",
                (str(case),),
            )
    for intent in evidence.desk.intents:
        case = cases[intent.case]
        is_settled = intent.kind != "row" or intent.state not in UNSETTLED_ROWS
        if not case.is_open and not case.waits_for_person and not is_settled:
            yield Violation(
                "row_not_settled",
                case.number,
                f"Case {case.number} is {case.state}, but by the desk's own record its row is "
                f"still {intent.state}.",
                (str(case),),
            )
