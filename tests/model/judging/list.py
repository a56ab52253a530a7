"""Promises about the list."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from canceldesk.cases.models import Case
from canceldesk.closing.models import Facts, Intent
from canceldesk.configuration import services as configuration
from canceldesk.workbook.protocol import ListedRow, NewRow
from tests.model import truth
from tests.model.judging.wrong import wrong_unless

if TYPE_CHECKING:
    from tests.model.world import World


class OfTheList:
    """Judges what the desk does with the list. Which lines are there is read from the list alone;
    which are wanted, from what the desk intends.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._decided_on: dict[int, dt.date] = {}
        self._changed_by_people: set[truth.Values] = set()

    @contextmanager
    def a_person_is_at_it(self) -> Iterator[None]:
        """What rows a person adds, changes or takes away in here is not the desk's doing."""
        before = self._counted()
        yield
        after = self._counted()
        self._changed_by_people |= {values for values, _ in before.items() ^ after.items()}

    def _counted(self) -> Counter[truth.Values]:
        return Counter(truth.values(row) for row in self._world.the_list.lines)

    def decided(self, case: Case, at: dt.datetime) -> None:
        """A manager has decided."""
        self._decided_on[case.pk] = at.astimezone(truth.ZONE).date()

    def facts_taken(self, facts: Facts) -> None:
        """The facts are those of Billsby's own books."""
        running = self._world.running
        if running is not None and (running.has_slept or running.was_misled):
            return  # what it read was true once
        should = truth.facts_now(
            self._world.company,
            facts.case,
            self._decided_on[facts.case_id],
            configuration.text("MONTHS_COUNTED"),
        )
        are = truth.values(facts)
        wrong_unless(are == should, f"The facts of {facts.case.number} are {are}, not {should}.")

    def added(self, row: NewRow) -> None:
        """The desk has put a row on the list."""
        case = next(c for c in self._world.cases() if c.number == row.reference)
        worker = self._world.running
        wrong_unless(
            worker is not None and worker.case_id == case.pk,
            f"A row of {case.number} was written in the pass of another case.",
        )
        intent = Intent.objects.filter(case=case, kind="row").first()
        is_leaving = intent is not None and intent.state in {"leaving", "unwanted"}
        wrong_unless(
            case.state in {"closing", "closed"} or is_leaving,
            f"A row of {case.number} was written, but it is {case.state}.",
        )
        wrong_unless(
            intent is not None and truth.wanted(intent) == truth.values(row),
            f"The row written of {case.number} is not the one that was intended.",
        )
        self._not_too_many(truth.values(row), case, f"The desk wrote a row of {case.number}")

    def _not_too_many(self, values: truth.Values, case: Case, what: str) -> None:
        """Lines that bear another case's number, with or without right, are that case's."""
        there = sum(
            truth.values(row) == values and row.reference in {"", case.number}
            for row in self._world.the_list.lines
        )
        claims = self._claims(values)
        wrong_unless(
            there <= claims, f"{what}, and now {there} rows say that, for {claims} case(s)."
        )

    def removed(self, row: ListedRow) -> None:
        """The desk has taken a row off the list."""
        worker = self._world.running
        wrong_unless(worker is not None, "A row was taken out in no pass at all.")
        assert worker is not None
        case = Case.objects.get(pk=worker.case_id)
        wrong_unless(
            row.reference in {"", case.number},
            f"The pass over {case.number} took out the row of {row.reference}.",
        )
        intent = Intent.objects.get(case=case, kind="row")
        wrong_unless(
            intent.state in {"leaving", "unwanted"},
            f"The row of {case.number} was taken out although it is {intent.state}.",
        )
        wrong_unless(
            truth.wanted(intent) == truth.values(row),
            f"The pass over {case.number} took out a row the desk did not write: {row}.",
        )

    def has_one_right_row(self, case: Case) -> bool:
        """Whether there is exactly one row of a case, and it is right."""
        facts = Facts.objects.filter(case=case).first()
        if facts is None:
            return False
        values = truth.values(facts)
        numbered = [row for row in self._world.the_list.lines if row.reference == case.number]
        if numbered and (len(numbered) > 1 or truth.values(numbered[0]) != values):
            return False
        return 1 <= self._count(values) <= max(1, self._claims(values))

    def wants_a_row(self, case: Case) -> bool:
        """Whether a case is to have a row: it stops, and nobody had the row taken off."""
        if case.state == "closing":
            return True
        intent = Intent.objects.filter(case=case, kind="row").first()
        is_off = intent is not None and intent.state in {"unwanted", "leaving", "removed"}
        return case.state == "closed" and not is_off

    def at_rest(self) -> None:
        """When all is done: of each kind of row the list holds as many as cases want. Of kinds that
        people have had their hands on, closing and the watch have told what is wrong.
        """
        wanting = [case for case in self._world.cases() if self.wants_a_row(case)]
        wanted = Counter(truth.values(Facts.objects.get(case=case)) for case in wanting)
        intents = Intent.objects.filter(kind="row")
        ever = {truth.wanted(intent) for intent in intents} - self._changed_by_people
        there = self._counted()
        for values in ever:
            wrong_unless(
                there[values] == wanted[values],
                f"{there[values]} rows say {values}, but {wanted[values]} case(s) want one.",
            )

    def taken_out(self, case: Case) -> None:
        """The desk says that it has read that a case's row is gone."""
        rows = self._world.the_list.lines
        wrong_unless(
            not any(row.reference == case.number for row in rows),
            f"The row of {case.number} is said to be gone, but it is there.",
        )
        values = truth.wanted(Intent.objects.get(case=case, kind="row"))
        self._not_too_many(values, case, f"The row of {case.number} is said to be gone")

    def _count(self, values: truth.Values) -> int:
        return sum(truth.values(row) == values for row in self._world.the_list.lines)

    def _claims(self, values: truth.Values) -> int:
        """How many cases have, are to have or may yet have such a row on the list."""
        intents = Intent.objects.filter(kind="row").exclude(state="removed")
        return sum(truth.wanted(intent) == values for intent in intents)

    def always(self) -> None:
        """No case's number stands on two lines that the desk wrote."""
        if not self._world.the_list.has_reference:
            return  # equal rows cannot be told apart; `added` counts them
        written = [row.writer for row in self._world.the_list.lines if row.writer]
        for number in set(written):
            wrong_unless(written.count(number) == 1, f"The desk wrote {number} on the list twice.")
