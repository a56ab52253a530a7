"""All checks, and the verdict."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.chaos.oracle import again, edits, ends, log, money, requests, rows, stopping
from tests.chaos.oracle.evidence import Evidence
from tests.chaos.oracle.violation import UnreadableError, Violation

Check = Callable[[Evidence], Iterator[Violation]]

CHECKS: tuple[Check, ...] = (
    requests.every_request_is_in_a_case,
    requests.no_request_becomes_two,
    requests.every_case_was_asked_for,
    requests.a_subscription_is_in_one_open_case,
    requests.forged_webhooks_are_turned_away,
    rows.closed_cases_have_one_right_row,
    rows.no_row_without_a_decision,
    rows.new_rows_are_on_top,
    edits.edits_are_still_there,
    edits.rows_of_the_start_are_still_there,
    edits.other_tabs_are_as_they_were,
    again.nothing_is_written_off_again,
    money.write_offs_are_approved,
    money.agents_stay_below_their_limit,
    money.debts_of_what_stays_are_left_alone,
    money.nothing_is_charged_after_the_hold,
    money.nothing_is_collected_after_closing,
    stopping.closed_cases_are_stopped,
    stopping.no_open_invoice_is_left,
    stopping.nothing_is_cancelled_unless_decided,
    stopping.nothing_outside_the_scope_is_changed,
    stopping.holds_are_given_back,
    log.each_story_is_in_order,
    log.the_log_grows_in_time,
    log.no_entry_is_changed_or_gone,
    log.deeds_are_by_those_who_may,
    log.what_people_did_is_told,
    log.writes_at_billsby_are_intended_and_told,
    log.rows_are_intended_and_told,
    ends.every_case_has_converged,
    ends.no_lease_is_left,
    ends.nothing_is_overdue,
    ends.nothing_is_half_done,
)


def judge(evidence: Evidence) -> list[Violation]:
    """Every broken promise that is found. Evidence that cannot be read is one, too."""
    found: list[Violation] = []
    for check in CHECKS:
        try:
            found += check(evidence)
        except UnreadableError as problem:
            unreadable = Violation("unreadable", "evidence", str(problem))
            if unreadable not in found:
                found.append(unreadable)
    return found
