"""What a case's row must say, worked out from Billsby's own books and the moment of decision."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from tests.chaos.oracle import values
from tests.chaos.oracle.databases import Row
from tests.chaos.oracle.desk import Case, Entry
from tests.chaos.oracle.evidence import Evidence
from tests.chaos.oracle.sheet import Line

HOME_DIAL_CODES = ("", "1")
LOCAL_DIGITS = 10


@dataclass(frozen=True)
class Expected:
    """The right values. Of what Billsby changed while the facts were taken either version is
    right, so some are sets; phones are dial code and number.
    """

    names: frozenset[str]
    phones: frozenset[tuple[str, str]]
    day: dt.date
    totals: frozenset[int]
    months: int
    reason: str

    def __str__(self) -> str:
        phones = " or ".join(sorted(f"+{code} {number}" for code, number in self.phones))
        totals = " or ".join(values.money(total) for total in sorted(self.totals))
        names = " or ".join(sorted(self.names))
        return f"right: {names} | {phones} | {self.day} | {totals} | {self.months} | {self.reason}"

    def differences(self, line: Line) -> list[str]:
        """Which values of a line are wrong."""
        right = {
            "name": line.name in self.names,
            "phone": any(_is_number(line.phone, *phone) for phone in self.phones),
            "date": line.cancelled_on == self.day,
            "total": line.collected_minor in self.totals,
            "months": line.months == self.months,
            "reason": line.reason == self.reason,
        }
        return [name for name, is_right in right.items() if not is_right]

    def is_about(self, line: Line) -> bool:
        """Whether a line is about this client at all."""
        return not {"name", "phone"} & set(self.differences(line))


def of_case(evidence: Evidence, case: Case) -> Expected | None:
    """The right row of a case, or None when nobody decided to stop."""
    decided = decision(evidence, case)
    if decided is None or not case.scope:
        return None
    first, last = _while_facts_were_taken(evidence, case, decided)
    billsby = evidence.billsby
    customers = billsby.versions(case.client, billsby.customers[case.client], first, last)
    began = min(values.certain(billsby.subscriptions[s]["created_at"]) for s in case.scope)
    day = decided.at.astimezone(evidence.zone).date()
    return Expected(
        names=frozenset(_name(customer) for customer in customers),
        phones=frozenset(
            (values.digits(c["dial_code"]), str(c["phone_number"] or "")) for c in customers
        ),
        day=day,
        totals=frozenset(billsby.collected(case.client, first, last)),
        months=values.whole_months(began.astimezone(evidence.zone).date(), day),
        reason=_reason(evidence, case),
    )


def decision(evidence: Evidence, case: Case) -> Entry | None:
    """The decision to stop that stands, as the log tells it."""
    found = None
    for entry in evidence.desk.story(case.id):
        if entry.verb == "case.decided":
            found = entry
        if entry.verb == "case.taken_back":
            found = None
    return found if found and found.text("decision") != "Retained" else None


def _while_facts_were_taken(evidence: Evidence, case: Case, decided: Entry) -> tuple[int, int]:
    """Between which of Billsby's events the facts were read: after the decision, and before the
    log says that they were taken. Where the API answered with what had been, it may be older.
    """
    timing, billsby = evidence.timing, evidence.billsby
    later = [entry for entry in evidence.desk.story(case.id) if entry.id > decided.id]
    told = [e for e in later if e.verb == "closing.facts"] or later or [decided]
    first = billsby.last_before(timing.real(decided) - timing.slack)
    if billsby.was_read_stale(case.client):
        first = billsby.filled
    return first, billsby.first_after(timing.latest(told[0]) + timing.slack)


def _name(customer: Row) -> str:
    full = values.plain(f"{customer['first_name']} {customer['last_name']}")
    return full or str(customer["email"] or customer["uid"])


def _reason(evidence: Evidence, case: Case) -> str:
    """As the person who filed the request gave it, where the journal knows."""
    label, words = case.reason, case.words
    for deed in evidence.journal.of("filed"):
        if deed.facts.get("case") == case.number and deed.succeeded:
            label = str(deed.facts.get("reason", label))
            words = str(deed.facts.get("words", words))
            break
    return values.plain(f"{label}: {words}" if words.strip() else label)


def _is_number(shown: str, dial_code: str, number: str) -> bool:
    """Whether the digits are the same. Billsby keeps the dial code beside the number, in it, in
    both or nowhere; numbers of the company's own country are shown without it.
    """
    wanted, got = values.digits(number), values.digits(shown)
    if len(wanted) < LOCAL_DIGITS:
        return got in {wanted, dial_code + wanted} if wanted else not got
    before, ahead = got[:-LOCAL_DIGITS], wanted[:-LOCAL_DIGITS] or dial_code
    is_home = ahead in HOME_DIAL_CODES
    return got[-LOCAL_DIGITS:] == wanted[-LOCAL_DIGITS:] and (before == ahead or is_home)
