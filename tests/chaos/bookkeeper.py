"""A person with the workbook: opens it, edits it, saves it in the ways programs do, all day long.

Polite to a fault: whatever changed since it was opened is opened anew before it is saved, so all
that may ever be missing from the workbook was lost by somebody else.
"""

from __future__ import annotations

import datetime as dt
import io
import random
import threading
import time
import zipfile

from tests.chaos import workbook_hands as hands
from tests.chaos.interfaces import Stage
from tests.chaos.saving_by_hand import (
    Changed,
    Crossed,
    Way,
    fingerprint,
    leave_owner_file,
    locked,
    on_screen,
    owner_file,
    save,
)
from tests.chaos.workbook_hands import Edit, Entry, Marks, Missing, OpenBook

TRIES = 12
_PAUSE = 0.25
_TORN = (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile)
"""What reading a workbook may come to while somebody writes it."""
_THINKS = (0.05, 1.5)
_RESTS = (1.0, 5.0)
_RESTED = 1.0
_LOCKS_FOR = (1.0, 4.0)
_FORGETS_FOR = (8.0, 20.0)


class Bookkeeper:
    """Keeps the list by hand beside the desk. One thing at a time, whoever asks."""

    def __init__(self, stage: Stage, rng: random.Random) -> None:
        self._path = stage.workbook
        self._journal = stage.journal
        self._rng = rng
        self._marks = Marks(stage.seed, rng)
        self._sits = threading.RLock()
        self._goes_home = threading.Event()
        self._by_hand: dict[str, str] = {}

    def work(self) -> None:
        """Edit and be in the way until `go_home`; then leave nothing open."""
        while not self._goes_home.wait(self._rng.uniform(*_RESTS)):
            luck = self._rng.random()
            if luck < 0.08:
                self._lock_it()
            elif luck < 0.12:
                self._forget_to_close()
            else:
                self.edit(*(self._marks.any() for _ in range(self._rng.randint(1, 3))))
        self.tidy()

    def go_home(self) -> None:
        """Stop editing; `work` returns soon."""
        self._goes_home.set()

    def tidy(self) -> bool:
        """Remove what a program left behind that ended without tidying up; whether it was there."""
        left = owner_file(self._path)
        with self._sits:
            there = left.exists()
            left.unlink(missing_ok=True)
        return there

    def hear_that_it_stays(self, case: str) -> None:
        """Nobody means to take the row of this case out again."""
        self._marks.staying.add(case)

    # what the errands of a case ask for

    def write_by_hand(self, key: str, name: str, phone: str, on: dt.date) -> bool:
        """Write a row for a client of a case; whether that was saved."""
        mark = self._marks.new()
        if self.edit(hands.like_the_desks(name, phone, on, mark)):
            self._by_hand[key] = mark
            return True
        return False

    def take_out_by_hand(self, key: str) -> bool:
        """Delete the row that was written by hand for a case; whether there was one."""
        mark = self._by_hand.get(key)
        if mark is None or not self.edit(hands.without_mark(mark)):
            return False
        del self._by_hand[key]
        return True

    def delete_row(self, case: str) -> bool:
        """Delete the desk's row of a case; whether it was there and that was saved."""
        return self.edit(hands.without_row_of(case))

    def change_row(self, case: str) -> bool:
        """Change a value in the desk's row of a case."""
        return self.edit(hands.months_of(case, 1))

    def put_row_right(self, case: str) -> bool:
        """Put that value back."""
        return self.edit(hands.months_of(case, -1))

    # sessions

    def edit(self, *edits: Edit, way: Way | None = None) -> bool:
        """Open the workbook, make some edits and save; whether that was done.

        False when there is nothing to edit, or others saved each time before.
        """
        with self._sits:
            way = way or self._rng.choice(tuple(Way))
            try:
                with on_screen(self._path, way):
                    return self._edited_and_saved(edits, way)
            except Missing:
                return False

    def _edited_and_saved(self, edits: tuple[Edit, ...], way: Way) -> bool:
        for _ in range(TRIES):
            opened = self._opened()
            if opened is None:
                time.sleep(_PAUSE)
                continue
            before, on_screen_now = opened
            entries = [entry for edit in edits for entry in edit(on_screen_now)]
            time.sleep(self._rng.uniform(*_THINKS))
            if self._save(way, before, on_screen_now, entries):
                return True
        return False

    def _opened(self) -> tuple[str, OpenBook] | None:
        try:
            data = self._path.read_bytes()
            return fingerprint(data), OpenBook.opened(data)
        except _TORN:
            return None

    def _save(self, way: Way, before: str, book: OpenBook, entries: list[Entry]) -> bool:
        try:
            save(self._path, way, before, book.saved())
        except (Changed, OSError) as problem:
            if isinstance(problem, Crossed) and self._is_in(entries):
                return self._note(way, entries)
            self._journal.write("bookkeeper", "saved", way=way, ok=False, why=repr(problem))
            return False
        return self._note(way, entries)

    def _note(self, way: Way, entries: list[Entry]) -> bool:
        for what, facts in entries:
            self._journal.write("bookkeeper", what, way=way, **facts)
        self._journal.write("bookkeeper", "saved", way=way, ok=True)
        return True

    def _is_in(self, entries: list[Entry]) -> bool:
        """Whether marks of these edits are in the workbook once it has come to rest."""
        marks = [str(facts["mark"]).encode() for _, facts in entries if "mark" in facts]
        data = self._at_rest()
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            texts = [parts.read(name) for name in parts.namelist()]
        return any(mark in text for mark in marks for text in texts)

    def _at_rest(self) -> bytes:
        """The workbook when nobody has saved for a while."""
        before = b""
        while (now := self._path.read_bytes()) != before:
            before = now
            time.sleep(_RESTED)
        return now

    # being in the way

    def _lock_it(self) -> None:
        with self._sits:
            try:
                with locked(self._path):
                    self._stay(_LOCKS_FOR, "locked")
            except OSError:
                return

    def _forget_to_close(self) -> None:
        """A program that ended without tidying up; somebody notices after a while."""
        with self._sits:
            left = leave_owner_file(self._path)
            self._stay(_FORGETS_FOR, "owner file left")
            left.unlink(missing_ok=True)

    def _stay(self, seconds: tuple[float, float], why: str) -> None:
        chosen = self._rng.uniform(*seconds)
        self._journal.write("bookkeeper", "in_the_way", how=why, seconds=round(chosen, 1))
        self._goes_home.wait(chosen)
