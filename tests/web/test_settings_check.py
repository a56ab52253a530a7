"""The button that says whether what is saved works."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse, reverse_lazy

from canceldesk.cases.log import Verb, sentence
from canceldesk.cases.models import LogEntry
from canceldesk.configuration import services as configuration
from tests.closing.conftest import Desk


def check(client: Client, section: str) -> str:
    reply = client.post(reverse("settings-check", args=[section]))
    assert reply.status_code == 200
    return reply.content.decode()


def test_billsby_is_examined_call_by_call(desk: Desk, client_of) -> None:
    desk.client()
    told = check(client_of(desk.admin), "billsby")
    assert "Wrong" not in told
    assert told.count("Well") >= 3


def test_a_refused_key_is_told_in_words(desk: Desk, client_of) -> None:
    desk.company.add_fault("status", "*", "*", status=401)
    told = check(client_of(desk.admin), "billsby")
    assert "Wrong" in told
    assert "key" in told


def test_a_workbook_that_is_not_there_is_told(admin, client_of) -> None:
    configuration.change("WORKBOOK_PATH", "/nowhere/Clients.xlsx")
    told = check(client_of(admin), "workbook")
    assert "Wrong" in told
    assert "Clients.xlsx" in told


@pytest.mark.parametrize("section", ["billsby", "workbook", "mail"])
def test_the_button_stands_where_there_is_something_to_check(
    admin, client_of, section: str
) -> None:
    page = client_of(admin).get(reverse("settings-section", args=[section])).content.decode()
    assert reverse("settings-check", args=[section]) in page


def test_there_is_no_button_where_nothing_can_be_checked(admin, client_of) -> None:
    page = client_of(admin).get(reverse("settings-section", args=["policy"])).content.decode()
    assert "Check what is saved" not in page


@pytest.mark.parametrize("role", ["agent", "manager"])
def test_only_admins_check(desk: Desk, client_of, role: str) -> None:
    user = getattr(desk, role)
    assert client_of(user).post(reverse("settings-check", args=["billsby"])).status_code == 403


def test_a_check_is_never_a_mere_look(admin, client_of) -> None:
    assert client_of(admin).get(reverse("settings-check", args=["mail"])).status_code == 405


# ------------------------------------------------------------------ a workbook that is not there


CREATE = reverse_lazy("settings-create-list")


@pytest.fixture
def place(db: None, tmp_path: Path) -> Path:
    """Where the settings say the workbook is; it is not."""
    path = tmp_path / "Clients.xlsx"
    configuration.change("WORKBOOK_PATH", str(path))
    return path


def test_a_workbook_that_could_be_made_is_offered(admin, client_of, place: Path) -> None:
    told = check(client_of(admin), "workbook")
    assert "Wrong" in told
    assert "Create it there" in told
    assert f'action="{CREATE}"' in told


def test_none_is_offered_where_none_could_be_made(admin, client_of, place: Path) -> None:
    configuration.change("WORKBOOK_PATH", str(place.parent / "gone" / "Clients.xlsx"))
    assert "Create it there" not in check(client_of(admin), "workbook")
    configuration.change("WORKBOOK_PATH", "")
    assert "Create it there" not in check(client_of(admin), "workbook")
    configuration.change("WORKBOOK_PATH", str(place))
    place.write_bytes(b"rubbish")
    assert "Create it there" not in check(client_of(admin), "workbook")


def test_the_workbook_is_made_as_the_settings_have_it_and_logged(
    admin, client_of, place: Path
) -> None:
    configuration.change("WORKBOOK_TAB", "Left us")
    configuration.change("WORKBOOK_HEADINGS", "name=Who")
    configuration.change("CURRENCY", "EUR")
    page = client_of(admin).post(CREATE, follow=True).content.decode()
    assert "with an empty list on the tab “Left us”" in page
    entry = LogEntry.objects.get(verb=Verb.LIST_CREATED)
    assert (entry.by, sentence(entry)) == (admin, f"made a new workbook for the list: {place}")
    told = check(client_of(admin), "workbook")
    assert "Wrong" not in told
    assert "“Who”" in told
    assert "“Reference”" in told


def test_a_workbook_that_came_meanwhile_is_left_as_it_is(admin, client_of, place: Path) -> None:
    place.write_bytes(b"precious")
    page = client_of(admin).post(CREATE, follow=True).content.decode()
    assert "never replaced" in page
    assert place.read_bytes() == b"precious"
    assert not LogEntry.objects.filter(verb=Verb.LIST_CREATED).exists()


@pytest.mark.parametrize("role", ["agent", "manager"])
def test_only_admins_have_a_workbook_made(desk: Desk, client_of, place: Path, role: str) -> None:
    assert client_of(getattr(desk, role)).post(CREATE).status_code == 403
    assert not place.exists()


def test_a_workbook_is_never_made_by_a_mere_look(admin, client_of, place: Path) -> None:
    assert client_of(admin).get(CREATE).status_code == 405
    assert not place.exists()
