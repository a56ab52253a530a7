from __future__ import annotations

import os
import signal
import socket
import threading
from pathlib import Path

import pytest

from canceldesk import serving
from canceldesk.accounts.models import User
from canceldesk.clients.models import Client
from canceldesk.configuration import services as configuration
from canceldesk.demo import running
from canceldesk.demo.filling import Filling
from canceldesk.demo.practice import CannotStartError, Practice
from canceldesk.demo.running import MARK, CannotRunError, Demo
from canceldesk.workbook.sample import create_sample
from canceldesk.workbook.workbooklist import WorkbookList
from tests.demo.conftest import Town
from tests.factories import make_case


@pytest.fixture
def demo(tmp_path: Path) -> Demo:
    return Demo(tmp_path / "demo-data", 8800, 8900)


def test_a_folder_that_holds_something_else_is_left_alone(demo: Demo) -> None:
    demo.folder.mkdir()
    (demo.folder / "holiday.jpg").touch()

    with pytest.raises(CannotRunError, match="holds something else"):
        demo._prepare_folder()
    with pytest.raises(CannotRunError, match="left alone"):
        demo.remove()
    assert (demo.folder / "holiday.jpg").exists()


def test_a_demos_own_folder_can_be_started_over(demo: Demo) -> None:
    demo._prepare_folder()
    demo._prepare_folder()
    assert (demo.folder / MARK).exists()

    demo.remove()
    demo.remove()

    assert not demo.folder.exists()


def test_two_demos_never_share_a_folder(demo: Demo) -> None:
    demo._prepare_folder()
    with demo._alone():
        second = Demo(demo.folder, demo.port + 1, demo.billsby_port + 1)
        with pytest.raises(CannotRunError, match="already runs in .* --data another-demo"):
            second.run()
        with pytest.raises(CannotRunError, match="already runs"):
            second.remove()
    demo.remove()
    assert not demo.folder.exists()


def test_no_setting_of_a_real_desk_reaches_the_demo(
    demo: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {"CANCELDESK_DATABASE_URL": "real", "HOME": "/home/x"})

    demo._set_environment()

    assert os.environ == {
        "HOME": "/home/x",
        "CANCELDESK_DATA": str(demo.folder),
        "DJANGO_SETTINGS_MODULE": "canceldesk.settings",
    }


@pytest.mark.loopback
def test_a_port_that_is_taken_is_named_with_a_way_out(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(CannotRunError, match=f"--billsby-port {port + 1}"):
            Demo(tmp_path, 0, port)._check_ports()


@pytest.mark.django_db
def test_three_people_can_sign_in_on_every_start() -> None:
    running._people()
    people = running._people()

    assert {role: user.role for role, user in people.items()} == {
        "agent": "agent",
        "manager": "manager",
        "admin": "admin",
    }
    assert User.objects.count() == 3
    for one in running.PEOPLE:
        assert people[one.role].check_password(one.password)


@pytest.mark.django_db
def test_what_an_admin_changed_is_kept_but_addresses_follow_the_ports(demo: Demo) -> None:
    demo._prepare_folder()
    demo._set_settings(Practice.below(demo.folder, 8900))
    configuration.change("COMPANY_NAME", "Renamed")

    demo._set_settings(Practice.below(demo.folder, 8901))

    assert configuration.text("COMPANY_NAME") == "Renamed"
    assert configuration.text("BILLSBY_URL") == "http://127.0.0.1:8901/api/v1/rest/core"
    assert configuration.text("WORKBOOK_PATH") == str(demo.workbook)


def test_the_first_data_are_made_once(demo: Demo, town: Town) -> None:
    demo._prepare_folder()

    demo._first_data()
    made = demo.workbook.read_bytes()
    demo._first_data()

    assert demo.workbook.read_bytes() == made
    assert len(WorkbookList(demo.workbook).read().rows) == 40
    assert Client.objects.count() > 60


def test_a_billsby_that_cannot_be_read_ends_the_start(demo: Demo, town: Town) -> None:
    demo._prepare_folder()
    create_sample(demo.workbook, [])
    town.company.set_down("503")

    with pytest.raises(CannotRunError):
        demo._first_data()


def test_addresses_and_logins_are_said(
    demo: Demo, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    demo._welcome(Practice(demo.folder, 8900, "the key", "the secret"))

    said = capsys.readouterr().out
    assert "http://127.0.0.1:8800/" in said
    assert "http://127.0.0.1:8900/panel/" in said
    for one in running.PEOPLE:
        assert f"{one.email}   {one.password}" in said
    assert "the key" not in said


@pytest.mark.django_db
def test_a_filling_that_fails_does_not_end_the_demo(
    agent: User, manager: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_filling: Filling) -> None:
        raise RuntimeError("no luck")

    monkeypatch.setattr(Filling, "fill", broken)
    closed: list[bool] = []
    monkeypatch.setattr("django.db.close_old_connections", lambda: closed.append(True))

    running._fill({"agent": agent, "manager": manager}, Practice(tmp_path, 1, "k", "s"))

    assert closed == [True]


class Started:
    """Stands for a thread: notes that it was started."""

    count = 0

    def __init__(self, **_how: object) -> None:
        pass

    def start(self) -> None:
        Started.count += 1


@pytest.mark.django_db
def test_only_an_empty_desk_is_filled(
    agent: User, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Started, "count", 0)
    monkeypatch.setattr(threading, "Thread", Started)
    people, practice = {"agent": agent}, Practice(tmp_path, 1, "k", "s")

    running._fill_in_background(people, practice)
    make_case()
    running._fill_in_background(people, practice)

    assert Started.count == 1


class Steps(list[str]):
    """What a start did, in order."""


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    done = Steps()
    for name in ("start", "wait", "stop"):
        monkeypatch.setattr(Practice, name, lambda *_, name=name: done.append(name))
    monkeypatch.setattr(Demo, "_check_ports", lambda _: None)
    monkeypatch.setattr(Demo, "_set_environment", lambda _: None)
    monkeypatch.setattr(Demo, "_first_data", lambda _: done.append("data"))
    monkeypatch.setattr(Demo, "_welcome", lambda *_: done.append("welcome"))
    monkeypatch.setattr(running, "_fill_in_background", lambda *_: done.append("fill"))
    monkeypatch.setattr("canceldesk.processlog.configure", lambda **_: None)
    monkeypatch.setattr(serving, "prepare", lambda: done.append("prepare"))
    monkeypatch.setattr(serving, "serve", lambda *, when_ready, **_: when_ready())
    return done


@pytest.mark.django_db
def test_a_start_makes_everything_in_its_order_and_stops_billsby(demo: Demo, steps: Steps) -> None:
    before = signal.getsignal(signal.SIGTERM)

    demo.run()

    assert steps == ["start", "prepare", "wait", "data", "welcome", "fill", "stop"]
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.django_db
def test_a_start_that_fails_leaves_no_billsby_behind(
    demo: Demo, steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(_practice: Practice) -> None:
        raise CannotStartError("no answer")

    monkeypatch.setattr(Practice, "wait", silent)

    with pytest.raises(CannotStartError):
        demo.run()

    assert steps[-1] == "stop"


def test_sigterm_while_starting_ends_in_order() -> None:
    with pytest.raises(SystemExit), running._ending_on_sigterm():
        signal.raise_signal(signal.SIGTERM)
