"""`canceldesk list` for scripts: repeatable, guarded, and in plain words whatever it is given."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
from typer.testing import CliRunner

from canceldesk.workbook.commands import adding, answers, list_app
from canceldesk.workbook.errors import ChangedMeanwhile
from canceldesk.workbook.sample import create_sample
from canceldesk.workbook.workbooklist import WorkbookList
from tests.workbook.building import HEADINGS, build, client

GIVEN = {
    "name": "Nora New", "phone": "+1 555 0199", "date": "2026-11-23", "collected": "1234.50",
    "months": "7", "reason": "Too expensive",
}  # fmt: skip


@pytest.fixture
def path(tmp_path):
    create_sample(tmp_path / "sample.xlsx", [client(number) for number in range(1, 6)])
    return tmp_path / "sample.xlsx"


def run(*arguments):
    return CliRunner().invoke(list_app, [str(argument) for argument in arguments])


def options(**changes):
    given = {**GIVEN, **changes}
    return [part for name, value in given.items() for part in (f"--{name}", value)]


def said(result):
    return " ".join(result.stderr.replace("│", " ").split())


def names(path):
    return [row.name for row in WorkbookList(path).read().rows]


# ------------------------------------------------------------------ show


def test_show_can_be_limited_and_still_says_how_many_there_are(path):
    lines = run("show", path, "--limit", 2).stdout.splitlines()
    assert lines[0].endswith("rows: 5")
    assert [line.split()[:3] for line in lines[1:]] == [
        ["4", "Client", "1"],
        ["5", "Client", "2"],
    ]
    answer = json.loads(run("show", path, "--limit", 2, "--json").stdout)
    assert (answer["count"], len(answer["rows"])) == (5, 2)


def test_show_tells_the_headings_of_other_columns(tmp_path):
    path = build(tmp_path / "more.xlsx", headings=(*HEADINGS, "Status"))
    assert json.loads(run("show", path, "--json").stdout)["others"] == {"G": "Status"}


def test_what_a_cell_holds_does_not_move_the_cursor(tmp_path):
    def more(_workbook, sheet):
        sheet.write_string("A5", "Ann\x1b[2J\nLine")

    shown = run("show", build(tmp_path / "odd.xlsx", more=more)).stdout
    assert "\x1b" not in shown
    assert "Ann [2J Line" in shown


# ------------------------------------------------------------------ add


def test_an_unusual_heading_can_be_named(tmp_path):
    path = build(tmp_path / "who.xlsx", headings=("Who", "Dial", *HEADINGS[2:]))
    assert run("add", path, *options()).exit_code == 1
    named = ("--heading", "name=Who", "--heading", "Phone = dial")
    assert run("add", path, *options(), *named).exit_code == 0
    assert "Nora New" in run("show", path, *named).stdout


def test_columns_of_ones_own_can_be_filled(tmp_path):
    path = build(tmp_path / "more.xlsx", headings=(*HEADINGS, "Status"))
    assert run("add", path, *options(), "--fill", "status=Cancelled").exit_code == 0
    assert openpyxl.load_workbook(path)["cancellation"]["G5"].value == "Cancelled"
    refused = run("add", path, *options(), "--fill", "State=Cancelled")
    assert refused.exit_code == 1
    assert "no column headed “State”; beside the desk's own it has “Status”" in said(refused)


def test_adding_unless_it_is_there_can_be_repeated(path):
    first = json.loads(run("add", path, *options(), "--unless-there", "--json").stdout)
    content = path.read_bytes()
    again = run("add", path, *options(), "--unless-there", "--json")
    assert (first["done"], first["written"]) == (True, True)
    answer = json.loads(again.stdout)
    assert again.exit_code == 0
    assert (answer["done"], answer["written"], answer["row_number"]) == (True, False, 4)
    assert path.read_bytes() == content
    assert "There already, in row 4" in run("add", path, *options(), "--unless-there").stdout
    assert run("add", path, *options(months="8"), "--unless-there").exit_code == 0
    assert names(path)[:2] == ["Nora New", "Nora New"]


def test_a_row_that_comes_while_one_looks_is_seen_before_adding(path, monkeypatch):
    real = WorkbookList.read
    reads: list[int] = []

    def read(self):
        view = real(self)
        if not reads:
            run("add", path, *options())
        reads.append(1)
        return view

    monkeypatch.setattr(WorkbookList, "read", read)
    assert "There already, in row 4" in run("add", path, *options(), "--unless-there").stdout
    monkeypatch.undo()
    assert names(path).count("Nora New") == 1


def test_adding_unless_it_is_there_gives_up_where_the_file_never_rests(path, monkeypatch):
    tries = []

    def add(*_row, **_expected):
        tries.append(1)
        raise ChangedMeanwhile("Saved by someone else. It is read again.")

    monkeypatch.setattr(WorkbookList, "add", add)
    assert run("add", path, *options(), "--unless-there").exit_code == 1
    assert len(tries) == adding.TIMES_LOOKED


def test_only_the_file_of_a_fingerprint_is_added_to(path):
    seen = json.loads(run("show", path, "--json").stdout)["fingerprint"]
    run("add", path, *options())
    for more in ((), ("--unless-there",)):
        refused = run("add", path, *options(name="Other"), *more, "--if-fingerprint", seen)
        assert refused.exit_code == 1
        assert "saved by someone else" in said(refused)
    seen = json.loads(run("show", path, "--json").stdout)["fingerprint"]
    assert run("add", path, *options(name="Other"), "--if-fingerprint", seen).exit_code == 0


def test_the_number_of_earlier_versions_kept_can_be_said(path):
    run("add", path, *options(), "--backups", 0)
    assert not list(path.parent.glob(".*backups*"))
    run("add", path, *options(), "--backups", 1)
    assert list(path.parent.glob(".*backups*"))


@pytest.mark.parametrize(
    "written",
    [
        ("--date", "0001-01-01"),
        ("--date", "20261123"),
        ("--date", "2026-02-30"),
        ("--date", "\u0662\u0660\u0662\u0666-11-23"),
        ("--collected", "1_000"),
        ("--collected", "1e3"),
        ("--collected", "inf"),
        ("--collected", "\u0663"),
        ("--collected", "9" * 40),
        ("--collected", ""),
        ("--months", "-1"),
        ("--months", "9" * 30),
        ("--months", "seven"),
        ("--currency", "dollars"),
        ("--currency", "U$D"),
        ("--wait", "nan"),
        ("--wait", "inf"),
        ("--backups", "-1"),
        ("--heading", "name"),
        ("--heading", "who=Name"),
        ("--heading", "=Name"),
        ("--fill", "Status"),
        ("--name", "Ann\udce9"),
    ],
)
def test_what_cannot_be_understood_is_wrong_usage_and_nothing_is_written(path, written):
    before = path.read_bytes()
    result = run("add", path, *options(), *written)
    assert result.exit_code == 2
    assert written[0] in said(result)
    assert "Traceback" not in result.stderr
    assert path.read_bytes() == before


def test_what_is_named_twice_is_wrong_usage(path):
    for twice in (
        ("--heading", "name=Who", "--heading", "NAME=Whom"),
        ("--fill", "Status=a", "--fill", "status:=b"),
    ):
        result = run("add", path, *options(), *twice)
        assert result.exit_code == 2
        assert "twice" in said(result)


@pytest.mark.parametrize(
    "name", ["N" * 100_000, "🎉 Zoë Ünal", "Two\nLines", "a\x00b\x07c", "=1+1", "-7", "\u202edlrow"]
)
def test_any_name_is_stored_as_a_cell_can_hold_it(path, name):
    result = run("add", path, *options(), f"--name={name}")
    assert result.exit_code == 0, result.stderr
    kept = name.replace("\x00", "").replace("\x07", "")[:32767]
    assert names(path)[0] == kept


def test_a_row_without_name_and_phone_is_refused(path):
    result = run("add", path, *options(name=" ", phone=""))
    assert result.exit_code == 1
    assert "needs the client's name or phone number" in said(result)


# ------------------------------------------------------------------ remove


def test_a_row_is_taken_out_by_its_number_with_its_name_as_a_guard(path):
    result = run("remove", path, "--row", 5, "--name", " Client  2")
    assert result.exit_code == 0
    assert "Taken out of row 5:" in result.stdout
    assert "Client 2  0555 0102" in result.stdout
    assert names(path) == ["Client 1", "Client 3", "Client 4", "Client 5"]


def test_a_row_is_taken_out_by_what_it_says(path):
    given = ("--date", "2026-09-28", "--collected", "103.75", "--months", "3", "--json")
    answer = json.loads(run("remove", path, *given, "--phone", "0555 0103").stdout)
    assert (answer["done"], answer["row_number"], answer["row"]["name"]) == (True, 6, "Client 3")
    assert answer["fingerprint_after"] == WorkbookList(path).read().fingerprint


def test_another_persons_row_is_not_taken_out(path):
    before = path.read_bytes()
    result = run("remove", path, "--row", 5, "--name", "Client 3")
    assert result.exit_code == 1
    assert "Row 5 of “sample.xlsx” is about Client 2" in said(result)
    result = run("remove", path, "--name", "Nobody", "--json")
    assert json.loads(result.stdout)["error"] == "NoSuchRow"
    assert path.read_bytes() == before


def test_of_several_rows_none_is_taken_out_unless_one_is_named(path):
    run("add", path, *options())
    run("add", path, *options())
    result = run("remove", path, "--name", "Nora New")
    assert result.exit_code == 1
    assert "2 rows of “sample.xlsx” have what you say (rows 4, 5)" in said(result)
    assert run("remove", path, "--name", "Nora New", "--row", 5).exit_code == 0
    assert names(path).count("Nora New") == 1


def test_a_number_alone_is_not_enough_but_with_the_fingerprint_it_is(path):
    assert run("remove", path, "--row", 4).exit_code == 2
    assert run("remove", path).exit_code == 2
    seen = WorkbookList(path).read().fingerprint
    assert run("remove", path, "--row", 4, "--if-fingerprint", "0" * 64).exit_code == 1
    assert run("remove", path, "--row", 4, "--if-fingerprint", seen).exit_code == 0
    assert names(path)[0] == "Client 2"


# ------------------------------------------------------------------ create and verify


def test_a_new_workbook_is_made_and_used(tmp_path):
    path = tmp_path / "New list.xlsx"
    assert "Made " in run("create", path, "--with-reference", "--currency", "eur").stdout
    assert run("add", path, *options(), "--reference", "C-1", "--currency", "EUR").exit_code == 0
    answer = json.loads(run("show", path, "--json").stdout)
    assert answer["rows"][0]["reference"] == "C-1"


def test_a_workbook_that_is_there_is_not_made_anew(path):
    before = path.read_bytes()
    result = run("create", path)
    assert result.exit_code == 1
    assert "never replaced" in said(result)
    assert json.loads(run("create", path, "--json").stdout)["error"] == "CannotSave"
    assert path.read_bytes() == before


def test_a_new_workbook_answers_machines(tmp_path):
    answer = json.loads(run("create", tmp_path / "a.xlsx", "--tab", "Left", "--json").stdout)
    assert (answer["done"], answer["tab"], answer["rows"]) == (True, "Left", [])


def test_verify_says_that_nothing_but_the_new_row_differs(tmp_path):
    before, after = build(tmp_path / "before.xlsx"), build(tmp_path / "after.xlsx")
    run("add", after, *options())
    assert run("verify", before, after).exit_code == 0
    assert run("remove", after, "--name", "Nora New").exit_code == 0
    assert "No row" in run("verify", before, after).stdout


# ------------------------------------------------------------------ whatever it is given


@pytest.mark.parametrize(
    "content",
    [b"", b"rubbish", b"PK\x03\x04 no more", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)],
)
def test_rubbish_cannot_be_read(tmp_path, content):
    path = tmp_path / "rubbish.xlsx"
    path.write_bytes(content)
    for command in (("show",), ("add", *options()), ("remove", "--name", "x")):
        result = run(command[0], path, *command[1:])
        assert result.exit_code == 2
        assert "rubbish.xlsx" in said(result)
    assert path.read_bytes() == content


@pytest.mark.parametrize("name", ["n" * 300 + ".xlsx", "gone/away.xlsx", ".", "nul\0.xlsx"])
def test_a_path_that_leads_nowhere_cannot_be_read(tmp_path, name):
    for command in (("show",), ("add", *options()), ("create",)):
        result = run(command[0], f"{tmp_path}/{name}", *command[1:])
        assert result.exit_code == (1 if command[0] == "create" and "\0" not in name else 2)
        assert "Traceback" not in result.stderr
        assert said(result)


def test_a_workbook_that_is_not_there_is_offered_to_be_made(tmp_path):
    result = run("show", tmp_path / "gone.xlsx", "--json")
    answer = json.loads(result.stdout)
    assert (result.exit_code, answer["error"]) == (2, "NoWorkbook")
    assert "`canceldesk list create`" in answer["sentence"]


def test_a_machine_without_memory_is_told(path, monkeypatch):
    def read(_self):
        raise MemoryError

    monkeypatch.setattr(WorkbookList, "read", read)
    result = run("show", path)
    assert result.exit_code == 2
    assert "more memory" in said(result)


def command_line(*arguments, encoding="utf-8", **how):
    program = [sys.executable, "-m", "canceldesk", "list", *map(str, arguments)]
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    return subprocess.run(program, capture_output=True, check=False, env=environment, **how)


def test_a_terminal_without_these_letters_gets_others(path):
    run("add", path, *options(name="Zoë 🎉"))
    shown = command_line("show", path, encoding="ascii")
    assert shown.returncode == 0
    assert b'tab "cancellation"' in shown.stdout
    assert b"Zo\\xeb \\U0001f389" in shown.stdout
    machine = command_line("show", path, "--json", encoding="latin-1")
    assert json.loads(machine.stdout.decode("latin-1"))["rows"][0]["name"] == "Zoë 🎉"
    gone = command_line("show", f"{path}é.xlsx", encoding="ascii")
    assert (gone.returncode, b"Traceback" in gone.stderr) == (2, False)


def test_closed_input_does_not_matter(path):
    assert command_line("show", path, stdin=subprocess.DEVNULL).returncode == 0


def test_words_fit_whatever_stands_for_a_terminal(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    answers.say("“Zoë”")
    assert stream.getvalue() == "“Zoë”\n"


def test_an_interruption_leaves_no_trace_but_a_word(path, monkeypatch):
    def add(*_row, **_expected):
        raise KeyboardInterrupt

    monkeypatch.setattr(WorkbookList, "add", add)
    before = sorted(Path(path.parent).iterdir())
    result = run("add", path, *options())
    assert result.exit_code not in (0, 2)
    assert "Traceback" not in result.output
    assert sorted(Path(path.parent).iterdir()) == before


def test_texts_that_a_guard_compares_may_be_spaced_otherwise(path):
    WorkbookList(path).add(replace(client(9), name="Ann  Lee\nJr"))
    assert run("remove", path, "--name", "Ann Lee Jr").exit_code == 0
