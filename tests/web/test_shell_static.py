"""What the pages load: all of it from here, as it was published."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "canceldesk" / "web" / "static"
TEMPLATES = STATIC.parent / "templates"
VENDOR = STATIC / "vendor"
LISTED = dict(
    re.findall(r"\| `([^`]+)` \| `([0-9a-f]{64})` \|", (VENDOR / "README.md").read_text("utf-8"))
)
SHIPPED = sorted(
    str(file.relative_to(VENDOR)) for file in VENDOR.glob("*/*") if file.name != "LICENSE"
)


def test_every_vendored_file_is_listed_and_nothing_else_is() -> None:
    assert sorted(LISTED) == SHIPPED


@pytest.mark.parametrize("name", SHIPPED)
def test_a_vendored_file_is_the_one_that_was_listed(name: str) -> None:
    assert hashlib.sha256((VENDOR / name).read_bytes()).hexdigest() == LISTED[name]


@pytest.mark.parametrize("folder", sorted({name.split("/")[0] for name in SHIPPED}))
def test_every_vendored_folder_carries_its_licence(folder: str) -> None:
    assert len((VENDOR / folder / "LICENSE").read_text("utf-8")) > 300


@pytest.mark.parametrize("name", SHIPPED)
def test_nothing_vendored_fetches_anything(name: str) -> None:
    text = (VENDOR / name).read_text("utf-8")
    assert "sourceMappingURL" not in text
    assert "@import" not in text
    assert not re.search(r"url\(\s*[\"']?(https?:)?//", text)


def test_every_static_file_a_template_names_exists() -> None:
    named = {
        match
        for template in TEMPLATES.rglob("*.html")
        for match in re.findall(r"{% static '([^']+)' %}", template.read_text("utf-8"))
    }
    assert named
    for name in named:
        assert (STATIC / name).is_file(), name


def test_no_template_carries_script_or_style_of_its_own() -> None:
    for template in TEMPLATES.rglob("*.html"):
        text = template.read_text("utf-8")
        assert not re.search(r"<script(?![^>]*\ssrc=)", text), template
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=\"", text), template
