"""Links, and what replies of Graph's come to."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canceldesk.workbook.graph import links, problems
from canceldesk.workbook.graph.links import SiteFile
from canceldesk.workbook.graph.problems import (
    Held,
    OutcomeUnknown,
    Problem,
    Refused,
    SessionLost,
    Throttled,
)
from tests.workbook.graph.practice.graph import ADDRESS, LINK


def test_a_link_is_told_from_a_path() -> None:
    assert links.is_link(LINK)
    assert links.is_link(f"  {ADDRESS} ")
    assert not links.is_link("/srv/lists/Clients.xlsx")
    assert not links.is_link(r"\\server\share\Clients.xlsx")


def test_a_link_is_encoded_as_graph_wants_it() -> None:
    link = "https://onedrive.live.com/redir?resid=1231244193912!12&authKey=1201919!12921!1"
    coded = links.shared(link).share_id
    assert coded.startswith("u!")
    assert not set(coded) & set("=/+")
    assert base64.urlsafe_b64decode(coded[2:] + "==").decode() == link


@pytest.mark.parametrize(
    ("link", "place"),
    [
        (
            ADDRESS,
            SiteFile(
                "acme.sharepoint.com",
                "/sites/Billing",
                "/sites/Billing/Shared Documents/Lists/Clients.xlsx",
            ),
        ),
        (
            "https://acme.sharepoint.com/Shared%20Documents/Clients.xlsm",
            SiteFile("acme.sharepoint.com", "", "/Shared Documents/Clients.xlsm"),
        ),
        (LINK, None),
        ("https://1drv.ms/x/s!AbC", None),
        ("https://acme.sharepoint.com/sites/Billing/_layouts/15/Doc.aspx?file=Clients.xlsx", None),
        ("https://elsewhere.example.com/sites/Billing/Clients.xlsx", None),
        ("https://acme.sharepoint.com/", None),
    ],
)
def test_a_plain_address_is_told_from_a_sharing_link(link: str, place: SiteFile | None) -> None:
    assert links.site_file(link) == place


@given(names=st.lists(st.text(min_size=1), min_size=1))
def test_no_name_reaches_another_place(names: list[str]) -> None:
    quoted = links.quoted("/".join(name.replace("/", "") for name in names))
    assert not set(quoted) & set("?#: \\'")


def reply(status: int, *codes: str, wait: float | None = None) -> Problem:
    error: dict[str, Any] = {}
    for code in reversed(codes):
        error = {
            "code": code,
            "message": "For developers.",
            **({"innerError": error} if error else {}),
        }
    return problems.of_reply(status, {"error": error}, wait)


@pytest.mark.parametrize(
    ("found", "kind"),
    [
        (reply(429, "tooManyRequests", wait=3), Throttled),
        (reply(503, "serviceUnavailable", wait=3), Throttled),
        (reply(503, "serviceUnavailable"), OutcomeUnknown),
        (reply(500, "internalServerError", "internalServerErrorUncategorized"), OutcomeUnknown),
        (reply(502), OutcomeUnknown),
        (reply(504, "gatewayTimeout", "gatewayTimeoutUncategorized"), OutcomeUnknown),
        (reply(408), OutcomeUnknown),
        (reply(501, "notImplemented"), Refused),
        (reply(423, "accessDenied"), Held),
        (reply(409, "conflict", "conflictUncategorized"), Held),
        (reply(403, "accessDenied", "AccessConflict"), Held),
        (reply(409, "conflict", "insertDeleteConflict"), Refused),
        (reply(404, "itemNotFound", "InvalidSessionReCreatable"), SessionLost),
        (reply(400, "invalidSession"), SessionLost),
        (reply(404, "itemNotFound"), Refused),
        (reply(403, "accessDenied"), Refused),
    ],
)
def test_a_reply_is_sorted_by_what_is_known_of_its_effect(
    found: Problem, kind: type[Problem]
) -> None:
    assert type(found) is kind


def test_the_innermost_code_is_kept_whichever_way_it_is_spelled() -> None:
    body = {"error": {"code": "a", "innererror": {"code": "b", "innerError": {"code": "c" * 99}}}}
    assert problems.of_reply(400, body, None).code == "c" * 80


@pytest.mark.parametrize("body", [None, [], "x", {"error": "x"}, {"error": {"code": 7}}, {}])
def test_a_strange_body_is_no_trouble(body: object) -> None:
    assert problems.of_reply(400, body, None).code == ""
