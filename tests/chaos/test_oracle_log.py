"""The log and how cases end: each kind of wrong is planted in a clean run and found."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from canceldesk import clock
from tests.chaos.oracle.desk import Entry
from tests.chaos.oracle.story import CLOSING, Story
from tests.chaos.planting import Planted

pytestmark = pytest.mark.xdist_group("oracle")


def rules_of(run: Planted) -> set[str]:
    return {violation.rule for violation in run.violations()}


# the story


def _without(run: Planted, last_name: str, verb: str) -> None:
    """Take an entry out of the log, and every copy that would tell."""
    run.desk("DELETE FROM cases_logentry WHERE id = ?", run.entry(last_name, verb)["id"])
    run.without_copies()


@pytest.mark.parametrize(
    ("last_name", "verb", "complaint"),
    [
        ("Field", "case.filed", "not filed yet"),
        ("Field", "case.decided", "closing.facts comes while the case is undecided"),
        ("Field", "closing.facts", "before the facts were taken"),
        ("Field", "row.intended", "was not about to be written"),
        ("Field", "row.written", "no row is on the list by then"),
        ("Field", "stop.seen", "was seen to be stopped"),
        ("Field", "closing.verified", "before both halves were verified"),
        ("Holt", "write_off.approved", "before anybody approved it"),
        ("Holt", "write_off.intended", "before it was intended"),
        ("Frost", "case.taken_back", "that is to stay"),
        ("Frost", "row.removal_intended", "before that was intended"),
        ("Frost", "row.removed", "while one is leaving"),
        ("Grove", "row.removal_asked", "that is to stay"),
        ("Wells", "row.rewrite_asked", "was not about to be written"),
    ],
)
def test_a_story_with_an_entry_missing_is_found(
    planted: Planted, last_name: str, verb: str, complaint: str
) -> None:
    _without(planted, last_name, verb)
    found = [v for v in planted.violations() if v.rule == "log_out_of_order"]
    assert found
    assert any(complaint in violation.sentence for violation in found)
    assert {violation.subject for violation in found} == {planted.number(last_name)}


@pytest.mark.parametrize(
    ("last_name", "verb", "complaint"),
    [
        ("Field", "case.filed", "case.filed comes while"),
        ("Field", "closing.facts", "comes while the case is closed"),
        ("Marsh", "closing.facts", "a second time"),
        ("Marsh", "row.intended", "while one is standing"),
        ("Marsh", "row.written", "was not about to be written"),
        ("Marsh", "case.decided", "comes while the case is closing"),
        ("Holt", "write_off.done", "after it was written off"),
        ("Field", "stop.seen", "told twice"),
        ("Stone", "hold.placed", "comes while the case is retained"),
        ("Field", "case.closed", "comes while the case is closed"),
    ],
)
def test_a_story_that_tells_something_twice_is_found(
    planted: Planted, last_name: str, verb: str, complaint: str
) -> None:
    newest = planted.desk("SELECT MAX(at) AS at FROM cases_logentry")[0]["at"]
    planted.twin("cases_logentry", planted.entry(last_name, verb), at=newest)
    found = [v for v in planted.violations() if v.rule == "log_out_of_order"]
    assert any(complaint in violation.sentence for violation in found)


@pytest.mark.parametrize(
    ("verb", "data", "complaint"),
    [
        ("hold.renewed", {"subscription": "Other (X)"}, "no hold was placed"),
        ("cancel.intended", {"subscription": "Plan (X)"}, "that was not decided"),
        ("row.removal_intended", {}, "that is to stay"),
        ("row.removed", {}, "that is to stay"),
        ("write_off.intended", {"invoice": "X-1"}, "before anybody approved it"),
        ("row.removal_asked", {}, "comes while the case is closing"),
        ("finding.settled", {}, "comes while the case is closing"),
        ("hold.returned", {}, "comes while the case is closing"),
    ],
)
def test_a_story_with_an_entry_that_does_not_belong_there_is_found(
    planted: Planted, verb: str, data: dict[str, str], complaint: str
) -> None:
    last = planted.entry("Marsh", "hold.placed")
    newest = planted.desk("SELECT MAX(at) AS at FROM cases_logentry")[0]["at"]
    planted.twin("cases_logentry", last, verb=verb, data=json.dumps(data), at=newest)
    found = [v for v in planted.violations() if v.rule == "log_out_of_order"]
    assert any(complaint in violation.sentence for violation in found)


def test_a_decision_taken_back_after_something_final_is_found(planted: Planted) -> None:
    for last_name, complaint in (("Holt", "written off"), ("Reed", "cancelled")):
        closed = planted.entry(last_name, "case.closed")
        planted.desk(
            "UPDATE cases_logentry SET verb = 'case.taken_back', by_id = "
            "(SELECT id FROM accounts_user WHERE role = 'manager') WHERE id = ?",
            closed["id"],
        )
        sentences = [violation.sentence for violation in planted.violations()]
        assert any("taken back although" in s and complaint in s for s in sentences)


@pytest.mark.parametrize(
    ("steps", "complaint"),
    [
        (("intended", "failed", "found"), ""),
        (("intended", "failed", "intended", "found"), "although nobody was refused it"),
        (("found",), "before it was intended"),
        (("intended", "failed", "found", "found"), "after it was written off"),
        (("intended", "failed", "found", "intended"), "after it was written off"),
        (("intended", "failed", "found", "case.taken_back"), "taken back although an invoice"),
    ],
)
def test_what_somebody_else_wrote_off_is_found_after_a_refusal_alone(
    steps: tuple[str, ...], complaint: str
) -> None:
    story = Story(("S",), phase=CLOSING, has_facts=True, approved={"X-1"})
    verbs = [step if "." in step else f"write_off.{step}" for step in steps]
    told = [
        said
        for place, verb in enumerate(verbs)
        for said in story.tell(Entry(place, clock.now(), verb, None, 1, {"invoice": "X-1"}))
    ]
    assert bool(told) is bool(complaint)
    assert complaint in "".join(told[-1:])


# the rest of the log


def _a_state_the_log_does_not_know(run: Planted) -> None:
    run.desk("UPDATE cases_case SET state = 'withdrawn' WHERE id = ?", run.case("Lane"))


def _an_entry_from_the_past(run: Planted) -> None:
    run.desk(
        "UPDATE cases_logentry SET at = '2026-03-02 14:00:00' WHERE id = ?",
        run.entry("Wells", "case.closed")["id"],
    )
    run.without_copies()


def _an_entry_gone(run: Planted) -> None:
    run.desk("DELETE FROM cases_logentry WHERE id = ?", run.entry("Field", "hold.placed")["id"])


def _an_entry_changed(run: Planted) -> None:
    entry = run.entry("Reed", "closing.facts")
    data = json.loads(entry["data"]) | {"months": 12}
    run.desk("UPDATE cases_logentry SET data = ? WHERE id = ?", json.dumps(data), entry["id"])


def _a_deed_of_nobody(run: Planted) -> None:
    entry = run.entry("Field", "case.decided")
    run.desk("UPDATE cases_logentry SET by_id = NULL WHERE id = ?", entry["id"])
    run.without_copies()


def _an_agents_decision(run: Planted) -> None:
    agent = run.desk("SELECT id FROM accounts_user WHERE role = 'agent'")[0]["id"]
    entry = run.entry("Field", "case.decided")
    run.desk("UPDATE cases_logentry SET by_id = ? WHERE id = ?", agent, entry["id"])
    run.without_copies()


def _a_deed_that_is_not_told(run: Planted) -> None:
    run.note("agent", "released", case=run.number("Marsh"), status=303)


def _a_write_off_without_its_end(run: Planted) -> None:
    _without(run, "Holt", "write_off.done")


def _a_hold_without_a_record(run: Planted) -> None:
    run.desk(
        "DELETE FROM closing_hold WHERE scope_id IN "
        "(SELECT id FROM cases_casesubscription WHERE case_id = ?)",
        run.case("Marsh"),
    )


def _a_hold_that_is_not_told(run: Planted) -> None:
    _without(run, "Marsh", "hold.placed")


@pytest.mark.parametrize(
    ("plant", "rules"),
    [
        (_a_state_the_log_does_not_know, {"log_disagrees"}),
        (_an_entry_from_the_past, {"log_goes_back_in_time"}),
        (_an_entry_gone, {"log_entry_gone"}),
        (_an_entry_changed, {"log_entry_changed"}),
        (_a_deed_of_nobody, {"deed_of_nobody"}),
        (_an_agents_decision, {"deed_without_authority"}),
        (_a_deed_that_is_not_told, {"deed_not_told"}),
        (_a_write_off_without_its_end, {"write_not_told"}),
        (_a_hold_without_a_record, {"write_without_intent"}),
        (_a_hold_that_is_not_told, {"write_not_told"}),
    ],
)
def test_a_log_that_was_touched_or_does_not_tell_is_found(
    planted: Planted, plant: Callable[[Planted], None], rules: set[str]
) -> None:
    plant(planted)
    assert rules_of(planted) == rules


def test_a_hold_that_came_just_after_a_person_had_stopped_the_service_need_not_be_told(
    planted: Planted,
) -> None:
    """Its answer was lost: from then on the desk sees nothing that it holds."""
    _a_hold_that_is_not_told(planted)
    assert rules_of(planted) == {"write_not_told"}
    held = planted.event("subscription paused", planted.subscription("Marsh"))
    after = json.dumps(held["after"] | {"status": "Suspended"})
    planted.billsby('UPDATE history SET "after" = ? WHERE id = ?', after, held["id"])
    assert rules_of(planted) == set()


def test_steps_of_the_clock_that_the_run_made_are_no_violation(planted: Planted) -> None:
    """The clock of the desk stood an hour back for the last of its entries."""
    last = planted.entry("Wells", "row.written")
    planted.desk(
        "UPDATE cases_logentry SET at = datetime(at, '-1 hours') WHERE id >= ?", last["id"]
    )
    planted.without_copies()
    assert rules_of(planted) == {"log_goes_back_in_time"}
    planted.step_the_clock(last["at"], -3600)
    assert rules_of(planted) == set()


def test_a_process_whose_clock_the_run_set_apart_is_no_violation(planted: Planted) -> None:
    last = planted.entry("Wells", "row.written")
    early = "UPDATE cases_logentry SET at = datetime(at, '-80 seconds') WHERE id = ?"
    planted.desk(early, last["id"])
    planted.desk(early, last["id"])
    planted.without_copies()
    assert rules_of(planted) == {"log_goes_back_in_time"}
    planted.note("keeper", "started", process="worker-2", skew=-120)
    assert rules_of(planted) == set()


# ends


def _state_of_marsh(run: Planted, **fields: object) -> None:
    for name, value in fields.items():
        run.desk(f"UPDATE cases_case SET {name} = ? WHERE id = ?", value, run.case("Marsh"))  # noqa: S608


def _waiting_for_time(run: Planted) -> None:
    _state_of_marsh(run, waits_for="time")


def _waiting_for_nothing_in_particular(run: Planted) -> None:
    _state_of_marsh(run, waits_sentence="Please wait.")


def _a_lease_left(run: Planted) -> None:
    _state_of_marsh(run, lease_owner="worker", lease_until="2026-03-09 15:00:00")


def _forgotten(run: Planted) -> None:
    _state_of_marsh(run, next_pass_at="2026-03-02 16:00:00")


def _a_hold_that_stands(run: Planted) -> None:
    run.desk(
        "UPDATE closing_hold SET state = 'held' WHERE scope_id IN "
        "(SELECT id FROM cases_casesubscription WHERE case_id = ?)",
        run.case("Stone"),
    )


def _a_row_on_its_way(run: Planted) -> None:
    run.desk(
        "UPDATE closing_intent SET state = 'leaving' WHERE kind = 'row' AND case_id = ?",
        run.case("Banks"),
    )


@pytest.mark.parametrize(
    ("plant", "rules"),
    [
        (_waiting_for_time, {"not_converged"}),
        (_waiting_for_nothing_in_particular, {"waits_without_a_sentence"}),
        (_a_lease_left, {"lease_left"}),
        (_forgotten, {"overdue"}),
        (_a_hold_that_stands, {"hold_not_ended"}),
        (_a_row_on_its_way, {"row_not_settled"}),
    ],
)
def test_a_case_that_has_not_come_to_its_end_is_found(
    planted: Planted, plant: Callable[[Planted], None], rules: set[str]
) -> None:
    plant(planted)
    assert rules_of(planted) == rules
