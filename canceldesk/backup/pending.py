"""Whether a restore is under way or was interrupted: asked before every command, so it needs
neither Django nor the database.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from canceldesk.configuration import reading

FOLDER: Final = "restoring"
PLAN: Final = "plan.json"
"""A file in the folder of that name in the data folder."""


def warning() -> str:
    """Why nothing but `canceldesk restore` should be run now; "" in peace."""
    try:
        there = (Path(reading.text("DATA")).expanduser() / FOLDER / PLAN).exists()
    except (reading.BadSettingError, OSError):
        return ""  # the command itself says what is wrong
    if not there:
        return ""
    return (
        "The desk is being restored from a backup, or that was interrupted. If nobody is restoring "
        "it right now, run `canceldesk restore` to bring it to its end."
    )
