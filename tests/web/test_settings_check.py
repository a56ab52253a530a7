"""The button that says whether what is saved works."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

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
