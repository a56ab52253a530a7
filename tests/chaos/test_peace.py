from __future__ import annotations

import datetime as dt
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.chaos import peace
from tests.chaos.interfaces import Journal, Stage
from tests.chaos.peace import keep_peace, look, take_days_off

TABLES = """
CREATE TABLE cases_case (id INTEGER PRIMARY KEY, state, waits_for, waits_sentence, version,
    next_pass_at);
CREATE TABLE cases_casesubscription (id INTEGER PRIMARY KEY, case_id);
CREATE TABLE closing_intent (id INTEGER PRIMARY KEY, case_id, kind, state);
CREATE TABLE closing_hold (id INTEGER PRIMARY KEY, scope_id, state, original_next_billing_at);
"""


class Desk:
    """A desk's database as the run looks at it, and a crew that does nothing."""

    def __init__(self, folder: Path) -> None:
        (folder / "data").mkdir()
        self.stage: Any = Stage(
            folder, 1, "sqlite", "", "", "", "", "", "", 0, Journal(folder / "j"), 1, 1
        )
        self.offset = 0.0
        self.stepped: list[float] = []
        self.settled = 0
        self._do(TABLES)

    def case(
        self, number: int, state: str, waits: str, due_in: float | None = None, version: int = 1
    ) -> None:
        due = None if due_in is None else dt.datetime.now(tz=dt.UTC) + dt.timedelta(seconds=due_in)
        told = None if due is None else due.replace(tzinfo=None).isoformat(" ")
        self._do("DELETE FROM cases_case WHERE id = ?", number)
        self._do(
            "INSERT INTO cases_case VALUES (?, ?, ?, 'why', ?, ?)",
            number,
            state,
            waits,
            version,
            told,
        )

    def hold(self, case: int, state: str, charge_in_days: float = 20) -> None:
        at = dt.datetime.now(tz=dt.UTC) + dt.timedelta(days=charge_in_days)
        self._do("INSERT INTO cases_casesubscription (id, case_id) VALUES (?, ?)", case, case)
        self._do(
            "INSERT INTO closing_hold (scope_id, state, original_next_billing_at) VALUES (?, ?, ?)",
            case,
            state,
            at.isoformat(" "),
        )

    def row(self, case: int, state: str) -> None:
        self._do(
            "INSERT INTO closing_intent (case_id, kind, state) VALUES (?, 'row', ?)", case, state
        )

    def settle(self) -> int:
        self.settled += 1
        return 0

    def step(self, seconds: float) -> None:
        self.offset += seconds
        self.stepped.append(seconds)

    def keep_peace(self, patience: float = 0.5) -> peace.Look:
        return keep_peace(
            self.stage, self.settle, offset=lambda: self.offset, step=self.step, patience=patience
        )

    def _do(self, words: str, *values: Any) -> None:
        with closing(sqlite3.connect(self.stage.desk_file)) as file, file:
            if values:
                file.execute(words, values)
            else:
                file.executescript(words)


@pytest.fixture
def desk(tmp_path, monkeypatch):
    monkeypatch.setattr(peace, "LOOK_EVERY", 0.0)
    made = Desk(tmp_path)
    yield made
    made.stage.journal.close()


def unfinished(desk):
    return [number for number, *_ in look(desk.stage, 0).unfinished]


def test_a_case_that_has_ended_is_finished(desk):
    desk.case(1, "closed", "time", due_in=86_400)
    desk.case(2, "retained", "nothing")
    assert unfinished(desk) == []
    assert look(desk.stage, 0).next_in is None


def test_open_cases_and_those_with_something_left_to_do_are_unfinished(desk):
    desk.case(1, "closing", "person")
    desk.case(2, "withdrawn", "nothing")
    desk.hold(2, "held")
    desk.case(3, "retained", "outside", due_in=5)
    desk.case(4, "retained", "nothing")
    desk.hold(4, "returned")
    desk.case(5, "closed", "nothing")
    desk.row(5, "leaving")
    desk.case(6, "closed", "nothing")
    desk.row(6, "confirmed")
    assert unfinished(desk) == ["C-00001", "C-00002", "C-00003", "C-00005"]
    assert look(desk.stage, 0).next_in == pytest.approx(5, abs=2)
    assert look(desk.stage, 60).next_in == 0


def test_peace_is_over_when_nothing_is_left(desk):
    desk.case(1, "closed", "nothing")
    assert desk.keep_peace().unfinished == []
    assert desk.stepped == []
    assert desk.settled == 1


def test_time_is_put_on_to_what_is_due_next(desk):
    desk.case(1, "closing", "time", due_in=300)
    honest = desk.step

    def step(seconds):
        honest(seconds)
        desk.case(1, "closed", "nothing")

    desk.step = step
    assert desk.keep_peace().unfinished == []
    assert desk.stepped == [pytest.approx(301, abs=5)]


def test_peace_is_over_when_all_that_is_left_waits_on_people_who_do_nothing(desk):
    desk.case(1, "new", "person")
    assert len(desk.keep_peace(patience=60).unfinished) == 1
    assert len(desk.stepped) == peace.QUIET_ROUNDS - 1


def test_peace_is_over_though_what_waits_on_a_person_is_read_again_at_every_step(desk):
    desk.case(1, "closing", "person", due_in=300)
    honest = desk.step

    def step(seconds):
        honest(seconds)
        ahead = desk.offset + 300
        desk.case(1, "closing", "person", due_in=ahead, version=len(desk.stepped) + 1)

    desk.step = step
    assert len(desk.keep_peace(patience=60).unfinished) == 1
    assert len(desk.stepped) == peace.QUIET_ROUNDS - 1


def test_a_case_that_goes_on_without_anybody_keeps_the_peace_waiting(desk):
    desk.case(1, "closing", "time", due_in=300)
    desk.case(2, "new", "person")
    honest = desk.step

    def step(seconds):
        honest(seconds)
        ahead, steps = desk.offset + 300, len(desk.stepped)
        if steps < 3 * peace.QUIET_ROUNDS:
            desk.case(1, "closing", "time", due_in=ahead, version=steps + 1)
        else:
            desk.case(1, "closed", "nothing")

    desk.step = step
    assert len(desk.keep_peace(patience=60).unfinished) == 1
    assert len(desk.stepped) >= 3 * peace.QUIET_ROUNDS


def test_what_waits_on_nobody_is_told_after_some_patience(desk):
    desk.case(1, "closing", "outside", due_in=0)
    assert [waits for _, _, waits, _ in desk.keep_peace(patience=0.2).unfinished] == ["outside"]


def test_days_off_pass_for_all_and_tell_who_is_held_beyond_the_date_of_a_charge(desk):
    for number, (state, charge_in_days) in enumerate(
        [("held", 3), ("held", 30), ("returned", 3)], start=1
    ):
        desk.case(number, "closing", "person")
        desk.hold(number, state, charge_in_days)
    nights: list[int] = []

    def night(hours):
        nights.append(hours)
        desk.offset += hours * 3600

    beyond = take_days_off(
        desk.stage, offset=lambda: desk.offset, step=desk.step, night=night, patience=0.2
    )

    assert beyond == 1
    assert nights == [peace.HOURS_OF_A_NIGHT_OFF] * peace.NIGHTS_OFF
    assert desk.settled == 0


def test_the_next_night_comes_only_when_every_case_has_been_looked_at(desk, monkeypatch):
    desk.case(1, "closing", "person", due_in=-60)
    nights: list[float] = []
    naps: list[float] = []
    monkeypatch.setattr(peace, "NIGHTS_OFF", 1)
    patience = 0.1
    until = time.monotonic() + 3 * patience

    def sleep(seconds):
        naps.append(seconds)
        if not nights and time.monotonic() > until:
            desk.case(1, "closing", "person", due_in=60 * 86_400)

    def night(_hours):
        nights.append(time.monotonic())

    monkeypatch.setattr("tests.chaos.peace.time.sleep", sleep)
    take_days_off(
        desk.stage, offset=lambda: desk.offset, step=desk.step, night=night, patience=patience
    )

    assert nights[0] > until
    assert naps


def test_a_machine_that_is_too_busy_for_that_is_no_proof_of_anything(desk, monkeypatch):
    desk.case(1, "closing", "person", due_in=-60)
    monkeypatch.setattr(peace, "LOOKED_AT_WITHIN", 0.0)
    with pytest.raises(RuntimeError, match="too busy"):
        take_days_off(
            desk.stage,
            offset=lambda: desk.offset,
            step=desk.step,
            night=lambda _hours: pytest.fail("the night came"),
            patience=0.0,
        )
