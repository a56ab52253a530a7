"""The desk, a person and a tracer, as `kill_list.py` sets them on one workbook."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import io
import os
import shutil
import signal
import subprocess
import tempfile
import time
import warnings
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import openpyxl
import xlsxwriter

from canceldesk.workbook.errors import ListError
from canceldesk.workbook.protocol import NewRow
from canceldesk.workbook.storing import exchange
from canceldesk.workbook.workbooklist import WorkbookList

HEADINGS = ["Name", "Phone", "Date of Cancellation", "Total Collected", "Months", "Reason"]
FIRST_ROWS = 8
BACKUPS = 2
GIVE_UP_AFTER = 30.0


@dataclass(frozen=True)
class Desk:
    """A process that adds rows, forked from this one so that it begins at once."""

    exchanges: bool

    def begin(self, path: Path, name: str, *, waiting_for: int | None = None) -> int:
        """Start adding the row; the process' id. It waits until `waiting_for` can be read."""
        child = os.fork()
        if child:
            return child
        status = 1
        try:
            if waiting_for is not None:
                os.read(waiting_for, 1)
            self._add(path, name)
            status = 0
        except ListError:
            status = 3
        finally:
            os._exit(status)

    def add(self, path: Path, name: str) -> None:
        """Repeat until the row is there, looking first, as the desk does."""
        for _ in range(50):
            _, status = os.waitpid(self.begin(path, name), 0)
            if os.waitstatus_to_exitcode(status) == 0:
                return
            time.sleep(0.01)
        raise RuntimeError(f"the row {name} could not be added to {path}")

    def _add(self, path: Path, name: str) -> None:
        if not self.exchanges:
            setattr(exchange, "_rename", lambda _source, _target, _flag: False)  # noqa: B010
        the_list = WorkbookList(path, lock_wait_seconds=2, backups=BACKUPS)
        view = the_list.read()
        if not any(row.name == name for row in view.rows):
            day = dt.date(2026, 11, 23)
            row = NewRow(name, "555 0199", day, 12_300, "USD", 3, "moved")
            the_list.add(row, expected_fingerprint=view.fingerprint)


def with_note(data: bytes, note: str) -> bytes:
    """The workbook as a person saves it after writing a note into it."""
    book = openpyxl.load_workbook(io.BytesIO(data))
    book["Notes"].append([note])
    saved = io.BytesIO()
    book.save(saved)
    return saved.getvalue()


def save_by_renaming(path: Path, note: str) -> None:
    """As Excel and LibreOffice save: a new file takes the old one's name."""
    data = with_note(path.read_bytes(), note)
    theirs = path.with_name("saving.tmp")
    theirs.write_bytes(data)
    theirs.replace(path)


def save_in_place(path: Path, note: str) -> None:
    """As simpler programs save: the file is emptied and written again, piece by piece."""
    with path.open("r+b") as file:
        data = with_note(file.read(), note)
        file.seek(0)
        file.truncate()
        for start in range(0, len(data), 2048):
            file.write(data[start : start + 2048])
            file.flush()


WAYS = (save_by_renaming, save_in_place)


@contextlib.contextmanager
def workbook(folder: Path) -> Iterator[tuple[Path, list[str]]]:
    """A workbook with an owner, attributes and kept versions of its own; its rows."""
    model, rows = _model(folder)
    with tempfile.TemporaryDirectory(dir=folder) as name:
        path = Path(name) / model.name
        shutil.copytree(model.parent, path.parent, dirs_exist_ok=True)
        if os.getuid() == 0:
            os.chown(path, 1234, 2345)
        yield path, list(rows)


@functools.cache
def _model(folder: Path) -> tuple[Path, list[str]]:
    path = folder / "model" / "clients.xlsx"
    path.parent.mkdir()
    rows = [f"Client {number}" for number in range(FIRST_ROWS)]
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("cancellation")
        sheet.write_row(0, 0, HEADINGS)
        for number, row in enumerate(rows, start=1):
            sheet.write_row(number, 0, [row, "555 0100", 46000 - number, 10.5, number, "price"])
        book.add_worksheet("Notes").write_string(0, 0, "Notes")
    path.chmod(0o640)
    with contextlib.suppress(OSError, AttributeError):
        os.setxattr(path, "user.project", b"cancellations")
    desk = Desk(exchanges=True)
    for number in range(BACKUPS + 1):
        rows.insert(0, f"Earlier {number}")
        desk.add(path, rows[0])
    return path, rows


def state_of(path: Path, before: bytes) -> str:
    """Where a killed process stood, for the printed figures."""
    stages = {file.suffix for file in path.parent.iterdir() if ".canceldesk-" in file.name}
    changed = path.read_bytes() != before
    if {".swap", ".old"} & stages:
        return "after the exchange" if changed else "just before the exchange"
    if ".new" in stages:
        return "while writing the new file"
    return "when done" if changed else "before writing"


def contents(data: bytes) -> tuple[list[str], list[str]]:
    """The names on the list and the notes of people; raises if the workbook is not sound."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        if package.testzip() is not None:
            raise ValueError("a member is damaged")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        book = openpyxl.load_workbook(io.BytesIO(data))
    names = [str(cell.value) for cell in book["cancellation"]["A"][1:] if cell.value]
    notes = [str(cell.value) for cell in book["Notes"]["A"] if cell.value]
    return names, notes


class Traced:
    """A process that adds a row while strace sends it signals at given system calls."""

    def __init__(self, desk: Desk, path: Path, name: str, signals: dict[str, str]) -> None:
        ready, go = os.pipe()
        self.child = desk.begin(path, name, waiting_for=ready)
        self.calls = path.with_name("calls.txt")
        trace = ["strace", "-f", "-q", "-o", str(self.calls), "-p", str(self.child)]
        trace += ["-e", f"trace={','.join(signals)}"]
        for call, what in signals.items():
            trace += ["-e", f"inject={call}:{what}"] if what else []
        self._tracer = subprocess.Popen(trace, stderr=subprocess.PIPE)
        self._wait_for_tracer()
        os.write(go, b"x")
        os.close(go)
        os.close(ready)

    def _wait_for_tracer(self) -> None:
        deadline = time.monotonic() + GIVE_UP_AFTER
        while "TracerPid:\t0" in Path(f"/proc/{self.child}/status").read_text():
            if self._tracer.poll() is not None or time.monotonic() > deadline:
                os.kill(self.child, signal.SIGKILL)
                raise RuntimeError(f"strace cannot watch here: {self._tracer.communicate()[1]!r}")
            time.sleep(0.0005)

    def ends(self) -> str:
        """Wait for the next thing to happen: "stopped", "killed" or "ended"."""
        _, status = os.waitpid(self.child, os.WUNTRACED)
        if os.WIFSTOPPED(status):
            return "stopped"
        self._tracer.communicate()
        return "killed" if os.WIFSIGNALED(status) else "ended"

    def goes_on(self) -> str:
        """Let a stopped process go on; what happens next."""
        os.kill(self.child, signal.SIGCONT)
        return self.ends()
