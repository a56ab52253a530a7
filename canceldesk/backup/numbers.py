"""Case numbers after a restore. Cases filed after the backup are forgotten, but their numbers stand
on the list and in e-mails: a new case of the same number would take another client's row for its
own. So the numbers go on behind every one that may have been given out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final

from django.db import connection

from canceldesk import clock
from canceldesk.backup import counting
from canceldesk.cases.models import NUMBER
from canceldesk.workbook.protocol import ListView

GAP_PER_DAY: Final = 1000
"""More cases than any desk files in a day."""


def highest_on(view: ListView) -> int:
    """The highest case number that stands on the list, 0 when none does."""
    found = (NUMBER.fullmatch(row.reference.strip()) for row in view.rows)
    return max((int(match[1]) for match in found if match), default=0)


def go_on_after(known: Iterable[int], *, made_at: dt.datetime) -> int:
    """Leave out every number that may have been given out since `made_at`; gives the next one.

    `known` are numbers that surely were.
    """
    days = 1 + max(0, (clock.now() - made_at).days)
    last = max(*known, _given_out()) + GAP_PER_DAY * days
    _set(last)
    return last + 1


def _given_out() -> int:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"SELECT coalesce(pg_sequence_last_value({_sequence()}), 0)")
        else:
            cursor.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = %s", [counting.TABLE])
        found = cursor.fetchone()
    return int(found[0] or 0) if found else 0


def _set(last: int) -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"SELECT setval({_sequence()}, %s)", [last])
            return
        cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [counting.TABLE])
        cursor.execute("INSERT INTO sqlite_sequence VALUES (%s, %s)", [counting.TABLE, last])


def _sequence() -> str:
    return f"pg_get_serial_sequence('{counting.TABLE}', 'id')::regclass"
