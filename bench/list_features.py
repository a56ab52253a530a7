"""What adding one row keeps of a workbook that holds everything: openpyxl beside the desk.

`python bench/list_features.py [--why]` builds the workbook in three shapes (the list as a table, as
a range with an autofilter, in a macro file), lets both add the same row and prints for each feature
whether it survived in every shape that has it. `--why` tells what failed for the desk. The exit
code is 1 when the desk fails one.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.workbook.everything.checkspackage import LIBREOFFICE
from tests.workbook.everything.editors import Editor, by_desk, by_openpyxl, edited
from tests.workbook.everything.features import Feature, Pair, holds
from tests.workbook.everything.layout import Shape
from tests.workbook.everything.table import ALL_FEATURES

WAYS: Final[dict[str, Editor]] = {"openpyxl": by_openpyxl, "Cancel Desk": by_desk}
Kept = dict[Shape, bool]


def main() -> int:
    """Build, edit, check and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--why", action="store_true", help="show what failed for the desk")
    why = parser.parse_args().why
    features = [one for one in ALL_FEATURES if one.name != LIBREOFFICE or shutil.which("soffice")]
    if len(features) < len(ALL_FEATURES):
        print(f"Not run: {LIBREOFFICE} (the command soffice is not installed).")
    with tempfile.TemporaryDirectory(prefix="canceldesk-bench-") as name:
        pairs = {way: _pairs(Path(name) / way, edit) for way, edit in WAYS.items()}
        table = {
            way: [{s: holds(one, found[s]) for s in one.shapes} for one in features]
            for way, found in pairs.items()
        }
        _print(features, table)
        failed = [
            (one, shape)
            for one, kept in zip(features, table["Cancel Desk"], strict=True)
            for shape in one.shapes
            if not kept[shape]
        ]
        if why:
            for one, shape in failed:
                _explain(one, pairs["Cancel Desk"][shape])
    return 1 if failed else 0


def _pairs(folder: Path, edit: Editor) -> dict[Shape, Pair]:
    pairs = {}
    for shape in Shape:
        place = folder / shape.value
        place.mkdir(parents=True)
        pairs[shape] = edited(place, shape, edit)
    return pairs


def _print(features: list[Feature], table: dict[str, list[Kept]]) -> None:
    print(f"{'feature':<52}" + "".join(f"{way:<24}" for way in table))
    for number, feature in enumerate(features):
        answers = "".join(f"{_answer(kept[number]):<24}" for kept in table.values())
        print(f"{feature.name:<52}{answers}".rstrip())
    counts = []
    for kept in table.values():
        checks = [one for answers in kept for one in answers.values()]
        whole = sum(all(answers.values()) for answers in kept)
        counts.append(f"{whole}/{len(kept)} ({sum(checks)}/{len(checks)} checks)")
    print(f"{'kept':<52}" + "".join(f"{count:<24}" for count in counts).rstrip())


def _answer(kept: Kept) -> str:
    if all(kept.values()):
        return "y"
    harmed = [shape.value for shape, held in kept.items() if not held]
    return "n" if len(harmed) == len(kept) else f"n ({', '.join(harmed)})"


def _explain(feature: Feature, pair: Pair) -> None:
    try:
        feature.check(pair)
    except Exception as error:
        what = type(error).__name__
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        line = "" if trace is None else f"{trace.tb_frame.f_code.co_name}, line {trace.tb_lineno}"
        print(f"\n{feature.name} ({pair.shape.value}): {what} in {line}\n{error}")


if __name__ == "__main__":
    sys.exit(main())
