"""One workbook that holds everything: what adding a row keeps of it, feature by feature.

`bench/list_features.py` prints the same checks as a table.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.workbook.everything.checkspackage import LIBREOFFICE
from tests.workbook.everything.damages import DAMAGES, damage
from tests.workbook.everything.editors import Editor, by_desk, by_openpyxl, edited
from tests.workbook.everything.features import Feature, Pair, holds
from tests.workbook.everything.layout import Shape
from tests.workbook.everything.looking import Book
from tests.workbook.everything.table import ALL_FEATURES

EVERY = [(one, shape) for one in ALL_FEATURES for shape in one.shapes]
OPENPYXL_KEEPS = {
    "new values",
    "data shifted by one",
    "new row: styles of list",
    "new row: height",
    "freeze panes",
    "column widths",
    "page setup/header",
    "sheet protection kept",
    "sheet list/order",
    "reopens in openpyxl",
}
OPENPYXL_HARMS = {
    "row heights follow rows",
    "hidden row follows",
    "outline group follows",
    "array formula",
    "cross-sheet formulas (18)",
    "dynamic array kept (cm + array)",
    "sparklines other sheet",
    "sparkline in list sheet",
    "CF cellIs",
    "CF formula",
    "CF data bar + x14 ext",
    "CF below list, abs ref",
    "data validation list",
    "data validation custom",
    "DV on other sheet",
    "CF on other sheet",
    "merged cells",
    "hyperlinks",
    "threaded comment + person",
    "defined names",
    "print area + titles",
    "table below shifts",
    "chart series refs",
    "image/shape/chart anchors",
    "images/shapes present",
    "page breaks",
    "ignored errors",
    "formula on quoted-name sheet",
    "custom XML part",
    "formula results kept for non-Excel readers",
    "totals above and below list",
    *(one.name for one in ALL_FEATURES if one.name.startswith("POLICY")),
}


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Shape, Editor], Pair]:
    """The workbook of a shape before and after an editor's work, each made once."""
    made: dict[tuple[Shape, Editor], Pair] = {}

    def pair(shape: Shape, edit: Editor) -> Pair:
        if (shape, edit) not in made:
            made[shape, edit] = edited(tmp_path_factory.mktemp(shape.value), shape, edit)
        return made[shape, edit]

    return pair


def nothing(path: Path, shape: Shape) -> None:
    """Leave the workbook as it is."""


def runnable(feature: Feature) -> bool:
    return feature.name != LIBREOFFICE or shutil.which("soffice") is not None


@pytest.mark.parametrize(
    ("feature", "shape"), EVERY, ids=[f"{one.name}-{shape.value}" for one, shape in EVERY]
)
def test_the_feature_is_kept(feature, shape, pairs):
    if not runnable(feature):
        pytest.skip("LibreOffice (soffice) is not installed; install libreoffice-calc-nogui")
    feature.check(pairs(shape, by_desk))


@pytest.mark.parametrize("shape", Shape, ids=lambda shape: shape.value)
def test_the_checks_see_what_openpyxl_keeps_and_harms(shape, pairs):
    pair = pairs(shape, by_openpyxl)
    checked = [one for one in ALL_FEATURES if shape in one.shapes and runnable(one)]
    kept = {one.name for one in checked if holds(one, pair)}
    assert kept >= OPENPYXL_KEEPS
    assert kept.isdisjoint(OPENPYXL_HARMS)


@pytest.mark.parametrize("shape", Shape, ids=lambda shape: shape.value)
def test_every_check_can_fail(shape, pairs, tmp_path):
    by_others = [pairs(shape, by_openpyxl), pairs(shape, nothing)]
    for feature in ALL_FEATURES:
        if shape in feature.shapes and runnable(feature):
            tried = list(by_others)
            if feature.name in DAMAGES:
                tried.append(damaged(pairs(shape, nothing), feature.name, tmp_path))
            assert not all(holds(feature, pair) for pair in tried), feature.name


def damaged(pair: Pair, feature: str, folder: Path) -> Pair:
    path = folder / pair.before.path.name
    shutil.copyfile(pair.before.path, path)
    damage(path, feature)
    return Pair(pair.shape, pair.before, Book(path))
