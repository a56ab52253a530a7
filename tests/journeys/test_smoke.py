from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.journeys.stack import Desk


@pytest.mark.parametrize("role", ["agent", "manager", "admin"])
def test_everybody_signs_in_and_sees_what_is_for_today(desk: Desk, role: str) -> None:
    page = desk.page(role)

    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page).to_have_title("Today · Cancel Desk")


def test_nobody_sees_anything_without_signing_in(desk: Desk) -> None:
    page = desk.visitor()

    page.goto(desk.url)

    assert "/account/login/" in page.url
