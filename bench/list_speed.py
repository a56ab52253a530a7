"""How fast and how lean adding one row to a large list is, beside openpyxl and beside the floor.

`python bench/list_speed.py [--rows 1000 10000 100000 500000] [--all]` prints one table. Each
figure comes from a process of its own: the time is that of the work alone (no starting, no
importing), the memory is the peak of the whole process. The desk and the floor are the best of
three; openpyxl runs once from 100,000 rows on, and above that only with `--all`.

- desk: `WorkbookList.add`, whole: lock, read, edit, save, read back, compare;
- openpyxl: load, `insert_rows`, write the cells, save. It is not the same work: formulas, formats,
  filters stay where they were (see bench/list_features.py) and nothing is checked;
- floor: every member unzipped and zipped again with zlib, written and synced to the disk.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HEADINGS: Final = (
    "Name",
    "Phone",
    "Date of Cancellation",
    "Total Amount Collected",
    "Months in the Program",
    "Reason",
    "Reference",
    "Handled by",
)
REASONS: Final = ("Too expensive", "Moved away", "No time", "Went elsewhere", "Would not say")
ROWS: Final = (1_000, 10_000, 100_000, 500_000)
ALONE_FROM: Final = 100_000
FASTER: Final = 10.0
LEANER: Final = 5.0
MOST_MEGABYTES: Final = 1536.0


@dataclass(frozen=True)
class Figure:
    """What one way of adding a row took: seconds by the clock and of the processor, peak memory."""

    seconds: float
    processor: float
    megabytes: float


def main() -> int:
    """Measure and print; 1 when a promised figure is missed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS, help="lengths of the list")
    parser.add_argument("--all", action="store_true", help="openpyxl above 100,000 rows, too")
    parser.add_argument("--do", nargs=2, metavar=("WAY", "FILE"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.do:
        _do(given.do[0], Path(given.do[1]), given.rows[0])
        return 0
    missed: list[str] = []
    print(f"{'':>9}{'':>8}   {'desk':>18}{'openpyxl':>20}{'floor':>18}   desk is")
    with tempfile.TemporaryDirectory(prefix="canceldesk-bench-") as name:
        for rows in given.rows:
            missed += _measured(rows, Path(name), with_openpyxl=given.all or rows <= ALONE_FROM)
    print(
        "\nSeconds and peak megabytes (MB), one row added on top of a list of 8 columns. Times\n"
        "depend on the machine and its load; the ratios, taken in one run, hold better, and those\n"
        "of processor time best. The floor only unzips and zips: nothing that rewrites the whole\n"
        "file by zlib can be below it."
    )
    for sentence in missed:
        print(f"MISSED: {sentence}")
    return 1 if missed else 0


def _measured(rows: int, folder: Path, *, with_openpyxl: bool) -> list[str]:
    """Measure at one length, print its line, and tell which promises were missed."""
    path = folder / f"{rows}.xlsx"
    _run("make", path, rows)
    desk = _best("desk", path, rows, 3)
    other = _best("openpyxl", path, rows, 1 if rows >= ALONE_FROM else 3) if with_openpyxl else None
    floor = _best("floor", path, rows, 3)
    line = f"{rows:>9,}{path.stat().st_size / 1e6:>5.1f} MB"
    for width, figure in ((18, desk), (20, other), (18, floor)):
        shown = "not run" if figure is None else f"{figure.seconds:.2f} s {figure.megabytes:.0f} MB"
        line += f"{shown:>{width}}"
    says = [f"{desk.seconds / floor.seconds:.1f} x the floor"]
    if other is not None:
        by_processor = other.processor / desk.processor
        says.insert(0, f"{other.seconds / desk.seconds:.1f} x faster than openpyxl")
        says.insert(1, f"{by_processor:.1f} x by processor time")
        says.insert(2, f"{desk.megabytes / other.megabytes:.0%} of its memory")
    print(f"{line}   {', '.join(says)}", flush=True)
    path.unlink()
    return _missed(rows, desk, other)


def _missed(rows: int, desk: Figure, other: Figure | None) -> list[str]:
    missed = []
    if rows == ALONE_FROM and other is not None:
        if other.seconds < FASTER * desk.seconds:
            missed.append(f"at {rows:,} rows the desk is not {FASTER:.0f} x faster than openpyxl.")
        if other.megabytes < LEANER * desk.megabytes:
            missed.append(f"at {rows:,} rows the desk needs over 1/{LEANER:.0f} of its memory.")
    if desk.megabytes >= MOST_MEGABYTES:
        missed.append(f"at {rows:,} rows the desk needs {desk.megabytes:.0f} MB.")
    return missed


def _best(way: str, path: Path, rows: int, times: int) -> Figure:
    figures = []
    for _ in range(times):
        copy = path.with_name("copy.xlsx")
        shutil.copyfile(path, copy)
        figures.append(_run(way, copy, rows))
    return Figure(
        min(figure.seconds for figure in figures),
        min(figure.processor for figure in figures),
        max(figure.megabytes for figure in figures),
    )


def _run(way: str, path: Path, rows: int) -> Figure:
    """Do it in a process of its own: this one stays small, since a child's peak starts at it."""
    command = [sys.executable, __file__, "--rows", str(rows), "--do", way, str(path)]
    said = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return Figure(**json.loads(said))


def _do(way: str, path: Path, rows: int) -> None:
    """The child: prepare (import), do the work by the clock, tell what it took."""
    ready: dict[str, Callable[[Path, int], Callable[[], None]]] = {
        "make": _make,
        "desk": _desk,
        "openpyxl": _openpyxl,
        "floor": _floor,
    }
    work = ready[way](path, rows)
    started, processor = time.perf_counter(), time.process_time()
    work()
    seconds, processor = time.perf_counter() - started, time.process_time() - processor
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "processor": processor, "megabytes": peak}))


def _make(path: Path, rows: int) -> Callable[[], None]:
    import xlsxwriter

    def work() -> None:
        with xlsxwriter.Workbook(str(path)) as workbook:
            sheet = workbook.add_worksheet("cancellation")
            date = workbook.add_format({"num_format": "mm/dd/yyyy"})
            money = workbook.add_format({"num_format": '"$"#,##0.00'})
            sheet.write_row(0, 0, HEADINGS)
            for number in range(1, rows + 1):
                sheet.write_string(number, 0, f"Client Number {number}")
                sheet.write_string(number, 1, f"+1 555 {number:07d}")
                sheet.write_number(number, 2, 46000 - number % 3000, date)
                sheet.write_number(number, 3, (number * 7919 % 500_000) / 100, money)
                sheet.write_number(number, 4, number % 60)
                sheet.write_string(number, 5, REASONS[number % len(REASONS)])
                sheet.write_string(number, 6, f"C-{number:06d}")
                sheet.write_string(number, 7, f"Agent {number % 12}")
            sheet.autofilter(0, 0, rows, len(HEADINGS) - 1)
            summary = workbook.add_worksheet("Summary")
            summary.write_formula(0, 0, f"=SUM(cancellation!D2:D{rows + 1})")

    return work


def _desk(path: Path, rows: int) -> Callable[[], None]:
    import datetime as dt

    from canceldesk.workbook.protocol import NewRow
    from canceldesk.workbook.workbooklist import WorkbookList

    day = dt.date(2026, 11, 23)
    new = NewRow("Nora New", "+1 555 0199", day, 123450, "USD", 7, "Too expensive", "C-1")

    def work() -> None:
        written = WorkbookList(path).add(new)
        if written.row.name != new.name or written.row_number != 2:  # noqa: PLR2004
            raise SystemExit("The desk did not add the row.")

    return work


def _openpyxl(path: Path, rows: int) -> Callable[[], None]:
    import datetime as dt

    import openpyxl

    day = dt.date(2026, 11, 23)
    new: Sequence[object]
    new = ("Nora New", "+1 555 0199", day, 1234.5, 7, "Too expensive", "C-1", None)

    def work() -> None:
        workbook = openpyxl.load_workbook(path)
        sheet = workbook["cancellation"]
        sheet.insert_rows(2)
        for column, value in enumerate(new, start=1):
            sheet.cell(2, column, value)
        workbook.save(path)

    return work


def _floor(path: Path, rows: int) -> Callable[[], None]:
    copied = path.with_name("floor.xlsx")

    def work() -> None:
        with (
            zipfile.ZipFile(path) as package,
            copied.open("wb") as target,
            zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as copy,
        ):
            for member in package.infolist():
                copy.writestr(member.filename, package.read(member))
            copy.close()
            target.flush()
            os.fsync(target.fileno())
        copied.replace(path)

    return work


if __name__ == "__main__":
    sys.exit(main())
