"""The append-only record. Every verb is named once, with the sentence people read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from canceldesk.accounts.models import User
from canceldesk.cases.models import Case, LogEntry
from canceldesk.clients.models import Client


class Verb(StrEnum):
    """What can be done. Dotted names are kept for ever; the sentences may be reworded."""

    CASE_FILED = "case.filed"
    CASE_MESSAGE = "case.message"
    CASE_ATTEMPT = "case.attempt"
    CASE_DECIDED = "case.decided"
    CASE_TAKEN_BACK = "case.taken_back"
    CASE_DECIDE_AGAIN = "case.decide_again"
    CASE_WITHDRAWN = "case.withdrawn"
    CASE_CLOSED = "case.closed"
    CASE_RETRIED = "case.retried"
    CASE_ATTENTION = "case.attention"
    CASE_ATTENTION_OVER = "case.attention_over"
    CLOSING_FACTS = "closing.facts"
    HOLD_INTENDED = "hold.intended"
    HOLD_PLACED = "hold.placed"
    HOLD_RENEWED = "hold.renewed"
    HOLD_RELEASE_ASKED = "hold.release_asked"
    HOLD_RELEASED = "hold.released"
    HOLD_NOT_RELEASED = "hold.not_released"
    HOLD_RESTORED = "hold.restored"
    HOLD_RETURNED = "hold.returned"
    HOLD_FAILED = "hold.failed"
    ROW_INTENDED = "row.intended"
    ROW_WRITTEN = "row.written"
    ROW_FOUND = "row.found"
    ROW_REWRITE_ASKED = "row.rewrite_asked"
    ROW_REMOVAL_ASKED = "row.removal_asked"
    ROW_REMOVAL_INTENDED = "row.removal_intended"
    ROW_REMOVED = "row.removed"
    ROW_REMOVAL_ADOPTED = "row.removal_adopted"
    WRITE_OFF_APPROVED = "write_off.approved"
    WRITE_OFF_UNAPPROVED = "write_off.unapproved"
    WRITE_OFF_INTENDED = "write_off.intended"
    WRITE_OFF_DONE = "write_off.done"
    WRITE_OFF_FAILED = "write_off.failed"
    WRITE_OFF_FOUND = "write_off.found"
    CANCEL_INTENDED = "cancel.intended"
    STOP_SEEN = "stop.seen"
    STOP_FAILED = "stop.failed"
    VERIFIED = "closing.verified"
    CONFIRMED = "closing.confirmed"
    CONFIRM_FAILED = "closing.confirm_failed"
    WATCH_ENDED = "watch.ended"
    FINDING_FOUND = "finding.found"
    FINDING_RESOLVED = "finding.resolved"
    FINDING_SETTLED = "finding.settled"
    WEBHOOK_RECEIVED = "webhook.received"
    SETTING_CHANGED = "setting.changed"
    LIST_CREATED = "list.created"
    USER_CREATED = "user.created"
    USER_CHANGED = "user.changed"
    DESK_RESTORED = "desk.restored"


SENTENCES: dict[Verb, str] = {
    Verb.CASE_FILED: "filed the request ({channel}): {wish}",
    Verb.CASE_MESSAGE: "noted a message ({channel})",
    Verb.CASE_ATTEMPT: "made a retention attempt: {offer}, {answer}",
    Verb.CASE_DECIDED: "decided: {decision}",
    Verb.CASE_TAKEN_BACK: "took the decision back: {why}",
    Verb.CASE_DECIDE_AGAIN: "asks a manager to decide again: the desk was put back to a backup, "
    "and the decision to cancel may have been taken back after it",
    Verb.CASE_WITHDRAWN: "withdrew the case: {why}",
    Verb.CASE_CLOSED: "closed the case: both halves read back",
    Verb.CASE_RETRIED: "asked the desk to try again",
    Verb.CASE_ATTENTION: "needs attention: {why}",
    Verb.CASE_ATTENTION_OVER: "no longer needs attention",
    Verb.CLOSING_FACTS: "took the facts: {collected} collected in {months} months",
    Verb.HOLD_INTENDED: "is about to hold {subscription} until {until}",
    Verb.HOLD_PLACED: "held {subscription} until {until}; the next charge was {original}",
    Verb.HOLD_RENEWED: "renewed the hold on {subscription} until {until}",
    Verb.HOLD_RELEASE_ASKED: "asked to lift the pause on {subscription} for a click",
    Verb.HOLD_NOT_RELEASED: "could not lift the pause on {subscription}: {why}",
    Verb.HOLD_RELEASED: "lifted the pause on {subscription} for a click",
    Verb.HOLD_RESTORED: "put the pause on {subscription} back",
    Verb.HOLD_RETURNED: "read that {subscription} is not held any more: its next charge is {on}",
    Verb.HOLD_FAILED: "could not hold {subscription}: {why}",
    Verb.ROW_INTENDED: "is about to write the row on the list",
    Verb.ROW_WRITTEN: "wrote row {row_number} on the list and read it back",
    Verb.ROW_FOUND: "found the row already on the list at row {row_number}",
    Verb.ROW_REWRITE_ASKED: "asked for the row to be written again",
    Verb.ROW_REMOVAL_ASKED: "asked for the row to be taken off the list: {why}",
    Verb.ROW_REMOVAL_INTENDED: "is about to take row {row_number} off the list",
    Verb.ROW_REMOVED: "took row {row_number} off the list and read the list back",
    Verb.ROW_REMOVAL_ADOPTED: "found that the row is no longer on the list",
    Verb.WRITE_OFF_APPROVED: "approved writing off {total} ({invoices})",
    Verb.WRITE_OFF_UNAPPROVED: "asks for the approval of writing off {invoices} again: the desk "
    "was put back to a backup",
    Verb.WRITE_OFF_INTENDED: "is about to write off {invoice} ({amount})",
    Verb.WRITE_OFF_DONE: "wrote off {invoice} ({amount}) and read it back",
    Verb.WRITE_OFF_FAILED: "could not write off {invoice}: {why}",
    Verb.WRITE_OFF_FOUND: "found that {invoice} is written off, which Billsby had refused to the "
    "desk",
    Verb.CANCEL_INTENDED: "is about to cancel {subscription}",
    Verb.STOP_SEEN: "read {subscription} in Billsby: {status}",
    Verb.STOP_FAILED: "could not stop {subscription}: {why}",
    Verb.VERIFIED: "read both halves back: the list and Billsby agree",
    Verb.CONFIRMED: "confirmed to the client: {how}",
    Verb.CONFIRM_FAILED: "could not confirm to the client: {why}",
    Verb.WATCH_ENDED: "ended the watch: {result}",
    Verb.FINDING_FOUND: "found: {sentence}",
    Verb.FINDING_RESOLVED: "no longer finds: {sentence}",
    Verb.FINDING_SETTLED: "settled ({why}): {sentence}",
    Verb.WEBHOOK_RECEIVED: "heard from Billsby: {type}",
    Verb.SETTING_CHANGED: "changed the setting {name}",
    Verb.LIST_CREATED: "made a new workbook for the list: {path}",
    Verb.USER_CREATED: "added the user {user} as {role}",
    Verb.USER_CHANGED: "changed the user {user}: {what}",
    Verb.DESK_RESTORED: "was put back to the backup of {made_at}: what was done after it is not "
    "in this log. New cases are numbered from {next_number}",
}


def entry(
    verb: Verb,
    *,
    by: User | None = None,
    case: Case | None = None,
    client: Client | None = None,
    **data: Any,  # noqa: ANN401 - whatever JSON can hold
) -> LogEntry:
    """An entry of now that is yet to be added. `by` None means the desk itself. `data` must be JSON
    and hold no secret.
    """
    if case is not None and client is None:
        client = case.client
    return LogEntry(verb=verb, by=by, case=case, client=client, data=data)


def record(
    verb: Verb,
    *,
    by: User | None = None,
    case: Case | None = None,
    client: Client | None = None,
    **data: Any,  # noqa: ANN401 - as for `entry`
) -> LogEntry:
    """Add an entry, which is as `entry` makes it."""
    made = entry(verb, by=by, case=case, client=client, **data)
    made.save()
    return made


def add(entries: Sequence[LogEntry]) -> None:
    """Add entries in this order with one statement."""
    if entries:
        LogEntry.objects.bulk_create(entries)


def sentence(entry: LogEntry) -> str:
    """The entry as a person reads it, without who and when."""
    try:
        template = SENTENCES[Verb(entry.verb)]
    except ValueError:
        return entry.verb
    known = {name: value for name, value in entry.data.items() if value is not None}
    return template.format_map(defaultdict(lambda: "?", known))
