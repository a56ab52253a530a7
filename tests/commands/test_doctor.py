from __future__ import annotations

from collections.abc import Iterator

import pytest

from canceldesk import doctor
from canceldesk.doctor import Examined, Verdict
from tests.commands.conftest import Say, answer

pytestmark = pytest.mark.django_db

WELL = Examined("Clock", Verdict.WELL, "It is right.", {"zone": "UTC"})
WRONG = Examined("Workbook", Verdict.WRONG, "It is [gone].")


def _finds(*examined: Examined) -> Iterator[Examined]:
    yield from examined


def test_a_well_desk_ends_with_0(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: _finds(WELL))

    said = say("doctor")

    assert said.exit_code == 0
    assert "Clock  It is right." in said.stdout
    assert "zone: UTC" in said.stdout


def test_anything_wrong_ends_with_1(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: _finds(WELL, WRONG))

    said = say("doctor")

    assert said.exit_code == 1
    assert "Workbook  It is [gone]." in said.stdout


def test_machines_get_all_of_it(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "examine", lambda: _finds(WELL, WRONG))

    said = say("doctor", "--json")

    assert said.exit_code == 1
    assert answer(said)["well"] is False
    assert answer(said)["examined"][1] == {
        "part": "Workbook",
        "verdict": "wrong",
        "sentence": "It is [gone].",
        "details": {},
    }
