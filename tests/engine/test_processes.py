"""Which process something belonged to, and whether that process still lives."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from canceldesk.engine import processes
from canceldesk.engine.processes import executor_id, is_dead


def of(number: int | str, *, here: str | None = None, host: str = "desk-1") -> str:
    return f"{host}-{here or processes._here()}-{number}-beef"


@pytest.fixture
def dead_number() -> int:
    """The number of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def test_every_process_has_a_name_that_no_other_has() -> None:
    assert executor_id() != executor_id()


def test_the_name_says_the_host_and_the_process() -> None:
    assert re.fullmatch(rf".+-[0-9a-f]{{8}}-{os.getpid()}-[0-9a-f]{{4}}", executor_id())


def test_the_name_fits_the_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "h" * 255)
    assert len(executor_id()) <= 80


def test_a_process_that_has_ended_is_dead(dead_number: int) -> None:
    assert is_dead(of(dead_number)) is True


def test_this_process_is_alive() -> None:
    assert is_dead(executor_id()) is False


def test_a_process_of_another_user_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_ours(_pid: int, _signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", not_ours)
    assert is_dead(of(1)) is False


@pytest.mark.parametrize(
    "name", ["local", "", "desk-1-4242-beef", "another-machine-4242-beef", "x-y-z"]
)
def test_a_name_of_another_make_says_nothing(name: str) -> None:
    assert is_dead(name) is False


@pytest.mark.parametrize("number", ["", "+1", "-1", "1e3", "९", str(2**70)])
def test_what_can_be_no_process_number_says_nothing(number: str) -> None:
    assert is_dead(of(number)) is False


def test_the_numbers_of_another_machine_or_container_say_nothing(dead_number: int) -> None:
    assert is_dead(of(dead_number, here="0badcafe")) is False


def test_a_host_with_dashes_in_its_name_is_understood(dead_number: int) -> None:
    assert is_dead(of(dead_number, host="desk-of-the-front-office")) is True


def test_another_container_on_the_same_machine_numbers_its_processes_anew(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = processes._here()
    monkeypatch.setattr(processes, "_NUMBERING", tmp_path)
    processes._here.cache_clear()
    try:
        assert processes._here() != here
    finally:
        processes._here.cache_clear()


def test_where_the_system_does_not_tell_the_network_card_does(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(processes, "_BOOT", tmp_path / "none")
    processes._here.cache_clear()
    try:
        assert re.fullmatch(r"[0-9a-f]{8}", processes._here())
    finally:
        processes._here.cache_clear()
