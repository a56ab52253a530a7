"""docs/settings.md says the truth about every setting."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from canceldesk.configuration.definitions import BY_NAME, SETTINGS, Kind, Setting

PAGE = (Path(__file__).parents[2] / "docs" / "settings.md").read_text(encoding="utf-8")
ROWS = {
    cells[0].strip(" `"): [cell.strip() for cell in cells]
    for line in PAGE.splitlines()
    if line.startswith("| `CANCELDESK_")
    for cells in [re.split(r"(?<!\\)\|", line.strip("|"))]
}
OTHER_VARIABLES = {"CANCELDESK_SETTINGS_FILE", "CANCELDESK_AS"}


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda setting: setting.name)
def test_every_setting_is_documented_as_it_is(setting: Setting) -> None:
    _, label, default, meaning = ROWS[setting.variable]
    assert label == setting.label
    assert default == (f"`{setting.default}`" if setting.default else "empty")
    assert meaning.startswith(setting.help)
    if setting.kind is Kind.CHOICE:
        assert all(f"`{key}`" in meaning for key, _ in setting.choices)


def test_nothing_is_documented_that_does_not_exist() -> None:
    named = set(re.findall(r"CANCELDESK_[A-Z_]+[A-Z]", PAGE)) - OTHER_VARIABLES
    assert named == {setting.variable for setting in BY_NAME.values()}
