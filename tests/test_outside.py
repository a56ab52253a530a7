"""The outside world: made from the settings, one Billsby client for all, replaceable."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from canceldesk import outside
from canceldesk.billsby.client import HttpBillsby
from canceldesk.configuration import services as configuration
from canceldesk.outside import NotSetUpError
from canceldesk.workbook.graph.graphlist import GraphList
from canceldesk.workbook.workbooklist import WorkbookList
from tests.fakes import FakeList

KEY = "acme_key_only_for_tests"


class Settings(dict[str, str]):
    """What the settings say instead of what is stored."""


@pytest.fixture
def settings(monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    given = Settings(
        BILLSBY_URL="http://billsby.test/api",
        BILLSBY_DOMAIN="acme",
        BILLSBY_API_KEY=KEY,
        BILLSBY_RATE="4",
        WORKBOOK_PATH="",
        WORKBOOK_TAB="",
        WORKBOOK_HEADINGS="",
        WORKBOOK_FILL="",
        WORKBOOK_BACKUPS="5",
        CURRENCY="USD",
        MICROSOFT_TENANT="",
        MICROSOFT_CLIENT_ID="",
        MICROSOFT_CLIENT_SECRET="",
    )
    monkeypatch.setattr(configuration, "text", given.__getitem__)
    monkeypatch.setattr(configuration, "number", lambda name: float(given[name]))
    monkeypatch.setattr(configuration, "whole", lambda name: int(given[name]))
    outside._http_billsby.cache_clear()
    outside._graph_list.cache_clear()
    yield given
    outside._http_billsby.cache_clear()
    outside._graph_list.cache_clear()


@pytest.mark.parametrize("missing", ["BILLSBY_DOMAIN", "BILLSBY_API_KEY"])
def test_a_billsby_that_is_not_set_up_says_what_to_fill_in_where(
    settings: Settings, missing: str
) -> None:
    settings[missing] = ""
    with pytest.raises(NotSetUpError) as problem:
        outside.billsby()
    assert "under Settings → Billsby" in str(problem.value)
    assert KEY not in str(problem.value)


def test_one_client_serves_the_whole_process(settings: Settings) -> None:
    client = outside.billsby()
    assert isinstance(client, HttpBillsby)
    assert outside.billsby() is client


@pytest.mark.parametrize(
    ("name", "value"),
    [("BILLSBY_DOMAIN", "other"), ("BILLSBY_API_KEY", "k2"), ("BILLSBY_RATE", "2")],
)
def test_changed_settings_are_used_at_once(settings: Settings, name: str, value: str) -> None:
    before = outside.billsby()
    settings[name] = value
    assert outside.billsby() is not before


@pytest.mark.parametrize(
    ("name", "value", "named"),
    [
        ("BILLSBY_API_KEY", "hush hush", "API key must be one word"),
        ("BILLSBY_URL", "billsby", "address must begin with https://"),
        ("BILLSBY_URL", "https://billsby.test:x", "port"),
    ],
)
def test_a_billsby_that_cannot_be_used_says_which_setting_is_wrong_but_never_the_key(
    settings: Settings, name: str, value: str, named: str
) -> None:
    settings[name] = value
    with pytest.raises(NotSetUpError, match=named) as problem:
        outside.billsby()
    assert "under Settings → Billsby" in str(problem.value)
    assert settings["BILLSBY_API_KEY"] not in str(problem.value)
    assert problem.value.__cause__ is None


def test_a_setting_that_cannot_be_understood_is_something_not_set_up(
    monkeypatch: pytest.MonkeyPatch, db: None
) -> None:
    monkeypatch.setenv("CANCELDESK_BILLSBY_DOMAIN", "widgets.billsby.com")
    with pytest.raises(NotSetUpError, match="CANCELDESK_BILLSBY_DOMAIN: Company domain must be"):
        outside.billsby()
    monkeypatch.setenv("CANCELDESK_WORKBOOK_PATH", "list.xlsx")
    monkeypatch.setenv("CANCELDESK_CURRENCY", "dollars")
    with pytest.raises(NotSetUpError, match="CANCELDESK_CURRENCY: Currency must be three letters"):
        outside.the_list()


def test_the_key_does_not_show_in_the_client(settings: Settings) -> None:
    assert KEY not in repr(outside.billsby())


def test_a_list_that_is_not_set_up_says_what_to_fill_in_where(settings: Settings) -> None:
    with pytest.raises(NotSetUpError, match="under Settings → Workbook"):
        outside.the_list()


def test_the_list_is_the_companys_workbook(settings: Settings, tmp_path: Path) -> None:
    settings["WORKBOOK_PATH"] = str(tmp_path / "clients.xlsx")
    assert isinstance(outside.the_list(), WorkbookList)


LINK = "https://acme.sharepoint.com/:x:/s/Billing/EaBcD"


@pytest.mark.parametrize("missing", ["MICROSOFT_TENANT", "MICROSOFT_CLIENT_ID"])
def test_a_workbook_in_the_cloud_needs_to_know_whom_to_sign_in(
    settings: Settings, missing: str
) -> None:
    settings.update(
        WORKBOOK_PATH=LINK, MICROSOFT_TENANT="acme.example.com", MICROSOFT_CLIENT_ID="11-22"
    )
    settings[missing] = ""
    with pytest.raises(NotSetUpError, match="directory .tenant. and the application"):
        outside.the_list()


@pytest.mark.parametrize(("secret", "as_app"), [("between-us", True), ("", False)])
def test_a_workbook_in_the_cloud_is_one_list_for_the_whole_process(
    settings: Settings, secret: str, as_app: bool
) -> None:
    settings.update(
        WORKBOOK_PATH=LINK,
        MICROSOFT_TENANT="acme.example.com",
        MICROSOFT_CLIENT_ID="11-22",
        MICROSOFT_CLIENT_SECRET=secret,
    )

    the_list = outside.the_list()

    assert isinstance(the_list, GraphList)
    assert the_list.acts_as_app is as_app
    assert outside.the_list() is the_list
    settings["WORKBOOK_TAB"] = "Left us"
    assert outside.the_list() is not the_list
    assert "between-us" not in repr(the_list)


def test_the_list_gets_its_tab_and_headings(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[object] = []
    monkeypatch.setattr(outside, "WorkbookList", lambda *args, **named: given.append((args, named)))
    settings["WORKBOOK_PATH"] = "clients.xlsx"
    outside.the_list()
    settings.update(WORKBOOK_TAB="Left us", WORKBOOK_HEADINGS="name=Client; phone=Mobile no")
    settings.update(CURRENCY="EUR", WORKBOOK_BACKUPS="3", WORKBOOK_FILL="Status=Cancelled")
    outside.the_list()
    assert given == [
        (
            ("clients.xlsx",),
            {
                "tab": None,
                "headings": {},
                "fill": {},
                "currency": "USD",
                "lock_wait_seconds": 5,
                "backups": 5,
            },
        ),
        (
            ("clients.xlsx",),
            {
                "tab": "Left us",
                "headings": {"name": "Client", "phone": "Mobile no"},
                "fill": {"Status": "Cancelled"},
                "currency": "EUR",
                "lock_wait_seconds": 5,
                "backups": 3,
            },
        ),
    ]


def test_something_else_can_stand_in_for_a_while(settings: Settings) -> None:
    stand_in = FakeList()
    with outside.using(the_list=stand_in):
        assert outside.the_list() is stand_in
        assert isinstance(outside.billsby(), HttpBillsby)
    with pytest.raises(NotSetUpError):
        outside.the_list()


def test_stand_ins_within_stand_ins_keep_what_they_do_not_replace(settings: Settings) -> None:
    billsby, outer, inner = outside.billsby(), FakeList(), FakeList()
    settings["BILLSBY_API_KEY"] = ""
    with outside.using(billsby=billsby, the_list=outer):
        with outside.using(the_list=inner):
            assert outside.the_list() is inner
            assert outside.billsby() is billsby
        assert outside.the_list() is outer


def test_the_world_comes_back_even_when_something_breaks(settings: Settings) -> None:
    with pytest.raises(RuntimeError), outside.using(the_list=FakeList()):
        raise RuntimeError
    with pytest.raises(NotSetUpError):
        outside.the_list()
