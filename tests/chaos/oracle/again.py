"""Nothing is written off again that the desk could know to be written off.

A repeat changes nothing at Billsby or is refused there, so that its history tells of one write-off
however often it was asked for. This judges by the calls that arrived.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from tests.chaos.oracle.desk import Entry
from tests.chaos.oracle.evidence import Evidence
from tests.chaos.oracle.practice import API, WRITTEN_OFF, Call, Event
from tests.chaos.oracle.violation import Violation

OK = 200
REFUSED = 400
MISLEADS = ("stale", "rubbish")
DAWDLES = {"delay", "timeout", "timeout_after"}
# A call is dated when it is answered; these dawdle by a second at most, on a machine that is busy.
DAWDLES_FOR = dt.timedelta(seconds=3)
# What was read when a pass began may be acted on so much later: one call may wait for 40 seconds.
UNDER_WAY = dt.timedelta(seconds=60)


def nothing_is_written_off_again(evidence: Evidence) -> Iterator[Violation]:
    """The desk repeats a write-off only where the invoice was shown to be open still."""
    for event in evidence.billsby.of_kind(WRITTEN_OFF, API):
        about = _calls_about(evidence, event)
        for call in _repeats(about, event):
            told = _told_before(about, event, call)
            is_sure = _was_noted(evidence, event, call) or not _was_misled(about, event, call)
            if told and is_sure and not _may_be_late(evidence, event, call):
                yield Violation(
                    "written_off_again",
                    event.subject,
                    f"The desk asked again to write off invoice {event.subject}, "
                    f"{(call.real_at - event.real_at).total_seconds():.1f} s after that had been "
                    "done, which it had been told.",
                    (str(event), str(told[-1]), str(call)),
                )


def _calls_about(evidence: Evidence, event: Event) -> list[Call]:
    """The calls about the client's invoices from when one was written off."""
    client = event.after["customer_uid"]
    calls = evidence.billsby.calls_about_invoices
    return [call for call in calls if client in call.path and call.real_at >= event.real_at]


def _repeats(about: list[Call], event: Event) -> list[Call]:
    """The calls to write it off but for the first that can have done it."""
    calls = [call for call in about if _writes_off(call, event)]
    did_it = next((call for call in calls if call.answer < REFUSED), None)
    return [call for call in calls if did_it is not None and call.id > did_it.id]


def _writes_off(call: Call, event: Event) -> bool:
    return call.method == "PUT" and call.path.endswith(f"/invoices/{event.subject}/WrittenOff")


def _arrived_at(call: Call) -> dt.datetime:
    """The earliest moment at which a call can have come to Billsby."""
    return call.real_at - DAWDLES_FOR if call.fault in DAWDLES else call.real_at


def _told_before(about: list[Call], event: Event, repeat: Call) -> list[Call]:
    """The undisturbed answers from which the desk could know that it was written off."""
    client = event.after["customer_uid"]
    tells = (f"/customers/{client}/invoices", f"/invoices/{event.subject}")
    return [
        call
        for call in about
        if call.id < repeat.id
        and call.real_at <= _arrived_at(repeat)
        and (call.answer, call.fault) == (OK, "")
        and (call.path.endswith(tells) or _writes_off(call, event))
    ]


def _was_misled(about: list[Call], event: Event, repeat: Call) -> bool:
    """Whether something else than the truth was told about the client's invoices meanwhile."""
    return any(call.fault in MISLEADS and call.id < repeat.id for call in about)


def _was_noted(evidence: Evidence, event: Event, repeat: Call) -> bool:
    """Whether the desk's log says, from before the repeat, that it was read back as written off,
    and nobody gave a new word between: then not even a misleading answer is an excuse.
    """
    slack, journal, invoice = evidence.timing.slack, evidence.journal, event.subject
    began, arrived = journal.desk_time(event.real_at), journal.desk_time(_arrived_at(repeat))
    until = [entry for entry in evidence.desk.log if entry.at <= arrived + slack]
    words = [entry.id for entry in until if invoice in _approved_by(entry)]
    return any(
        entry.verb in {"write_off.done", "write_off.found"}
        and entry.text("invoice") == invoice
        and began - slack <= entry.at <= arrived - slack
        and not any(entry.id < word for word in words)
        for entry in until
    )


def _approved_by(entry: Entry) -> list[str]:
    is_word = entry.verb == "write_off.approved"
    return entry.text("invoices").split(", ") if is_word else []


def _may_be_late(evidence: Evidence, event: Event, repeat: Call) -> bool:
    """Whether the desk may have sent one of the two before it could see the other: where a process
    was stopped, or a step of the clock ended its lease and its waiting, another takes over while
    what it sent is under way.
    """
    slack, journal = evidence.timing.slack, evidence.journal
    resumed = [deed.at for deed in journal.of("resumed")]
    if any(repeat.real_at - slack <= at <= repeat.real_at for at in resumed):
        return True
    upset = [*resumed, *(deed.at for deed in journal.of("paused", "clock"))]
    is_upset = any(event.real_at - slack <= at <= repeat.real_at for at in upset)
    return is_upset and repeat.real_at - event.real_at <= UNDER_WAY
