"""What the README tells a stranger to type works, in the order in which it stands there."""

from __future__ import annotations

import datetime as dt
import re
import shlex
from itertools import takewhile
from pathlib import Path

import pytest

from canceldesk.workbook.protocol import NewRow
from canceldesk.workbook.sample import create_sample
from tests.backup.telling import forked, own_environment
from tests.databases import database_of_its_own

README = Path(__file__).parent.parent / "README.md"
PROGRAM = ".venv/bin/canceldesk"


def commands(heading: str) -> list[list[str]]:
    """What the blocks below a heading call `canceldesk` with."""
    part = README.read_text("utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    blocks = "".join(re.findall(r"^ *```\n(.*?)^ *```$", part, re.DOTALL | re.MULTILINE))
    lines = [shlex.split(line, comments=True) for line in blocks.replace("\\\n", " ").splitlines()]
    return [words[1:] for words in lines if words[:1] == [PROGRAM]]


@pytest.mark.database
def test_a_companys_desk_is_set_up_by_the_commands_as_they_stand(tmp_path: Path) -> None:
    told = commands("Use it with your own company")
    before_billsby = list(takewhile(lambda words: words != ["doctor"], told))
    with database_of_its_own() as url:
        environment = {**own_environment(tmp_path), "CANCELDESK_DATABASE_URL": url}
        answers = [forked("canceldesk", words, environment) for words in before_billsby]

    assert [(answer.returncode, answer.stderr) for answer in answers] == [(0, ""), (0, "")]
    assert ["serve"] in told[len(before_billsby) :]


def test_the_list_is_worked_on_by_the_commands_as_they_stand(tmp_path: Path) -> None:
    told = commands("The list without the desk")
    moved = NewRow("Kim Lee", "2025550101", dt.date(2026, 11, 2), 12_000, "USD", 3, "Moved away")
    for name in ("Clients.xlsx", "Before.xlsx"):
        create_sample(tmp_path / name, [moved])

    answers = [
        forked("canceldesk", [_in(tmp_path, word) for word in words], own_environment(tmp_path))
        for words in told
    ]

    assert [words[:2] for words in told] == [
        ["list", one] for one in ("show", "add", "remove", "verify", "create")
    ]
    assert [(answer.returncode, answer.stderr) for answer in answers] == [(0, "")] * 5
    assert (tmp_path / "New.xlsx").exists()


def _in(folder: Path, word: str) -> str:
    return str(folder / word) if word.endswith(".xlsx") else word
