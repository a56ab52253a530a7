"""The oracle itself: it finds nothing in a clean run, and every one of its rules can be broken."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.chaos import oracle
from tests.chaos.oracle import Evidence, Violation, judge
from tests.chaos.oracle.__main__ import main as by_command
from tests.chaos.planting import ZONE, Planted
from tests.databases import database_of_its_own, on_postgresql

ORACLE = Path(oracle.__file__).parent
pytestmark = pytest.mark.xdist_group("oracle")

THE_JUDGED = {"canceldesk", "billsby_sandbox", "django", "dbos"}


def test_a_clean_run_has_no_violation(planted: Planted) -> None:
    assert [str(violation) for violation in planted.violations()] == []


@pytest.mark.database
def test_a_clean_run_on_postgresql_has_no_violation_either(tmp_path: Path) -> None:
    if not on_postgresql():
        pytest.skip("this run is on SQLite")
    from tests.chaos.conftest import told_by_a_process

    with database_of_its_own() as url:
        told_by_a_process(tmp_path, url)
        assert judge(Evidence(tmp_path, url, time_zone=ZONE)) == []


def test_the_oracle_uses_nothing_of_what_it_judges() -> None:
    for path in ORACLE.glob("*.py"):
        assert not _imported(path) & THE_JUDGED, path.name
        inner = {name for name in _modules(path) if name.startswith("tests.")}
        assert all(name.startswith("tests.chaos.oracle") for name in inner), path.name


def test_every_rule_of_the_oracle_is_broken_by_some_test() -> None:
    rules = {rule for path in ORACLE.glob("*.py") for rule in _rules(path)}
    tests = "".join(
        path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_oracle*.py")
    )
    assert rules
    assert {rule for rule in rules if f'"{rule}"' not in tests} == set()


def test_a_violation_reads_like_a_sentence_with_its_evidence_below() -> None:
    violation = Violation("no_row", "C-00001", "Case C-00001 is not on the list.", ("case", "row"))
    assert str(violation) == "no_row: Case C-00001 is not on the list.\n    case\n    row"


@pytest.mark.parametrize("name", ["list.xlsx", "billsby.sqlite3", "journal.jsonl", "log-1.json"])
def test_what_cannot_be_read_is_said_and_does_not_pass(planted: Planted, name: str) -> None:
    (planted.folder / name).write_text("torn\n\n", encoding="utf-8")
    found = planted.violations()
    assert found
    assert {violation.rule for violation in found} == {"unreadable"}


def _modules(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
            assert node.level == 0
    return found


def _imported(path: Path) -> set[str]:
    return {name.split(".")[0] for name in _modules(path)}


def _rules(path: Path) -> set[str]:
    """The first words given to violations in a module."""
    text = path.read_text(encoding="utf-8")
    return set(re.findall(r'Violation\(\s*"(\w+)"', text))


def test_books_in_which_nothing_ever_happened_prove_nothing(planted: Planted) -> None:
    planted.billsby("DELETE FROM history")
    assert {violation.rule for violation in planted.violations()} == {"unreadable"}


def test_a_run_that_was_kept_can_be_judged_again_by_command(
    planted: Planted, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["oracle", str(planted.folder), "--zone", ZONE])
    assert by_command() == 0
    planted.note("post", "webhook", kind="forged", status=200)
    assert by_command() == 1
    assert capsys.readouterr().out.startswith("forged_webhook_taken: ")
