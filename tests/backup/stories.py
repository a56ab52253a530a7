"""Tells one story of a desk that was put back to a backup, in this process: real files, a real
database. Prints what came of it as JSON. Run by `tests.backup.telling.told`.
"""

from __future__ import annotations

import json
import os
import sys

from tests.backup.book import STORIES, WORK

os.environ["CANCELDESK_DATA"] = str(WORK / "desk")
os.environ["DJANGO_SETTINGS_MODULE"] = "canceldesk.settings"
os.environ["CANCELDESK_WORKBOOK_PATH"] = str(WORK / "list.xlsx")

import django

django.setup()

from tests.backup import days_of_work, ways_to_restore  # noqa: E402, F401 - they keep stories


def main() -> None:
    told = STORIES[sys.argv[2]](**json.loads(sys.argv[3]))
    print(json.dumps(told, default=str))  # noqa: T201


if __name__ == "__main__":
    main()
