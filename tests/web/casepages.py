"""Reading the page of a case as a person would."""

from __future__ import annotations

import re

from django.test import Client as Browser

from canceldesk.cases.models import Case


def page_of(browser: Browser, case: Case) -> str:
    """The whole page."""
    response = browser.get(f"/cases/{case.pk}/")
    assert response.status_code == 200
    return response.content.decode()


def part_of(page: str, name: str) -> str:
    """The part of the page with this id, from its tag to the end of the section."""
    found = re.search(rf'<section[^>]* id="{name}".*?</section>', page, re.DOTALL)
    assert found is not None, name
    return found[0]


def is_shown(page: str, name: str) -> bool:
    """Whether the part is not hidden."""
    return " hidden" not in part_of(page, name).split(">")[0]


def words_of(page: str) -> str:
    """The page's words alone, with single spaces."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())
