"""Copies of cases with everything that belongs to them, made by SQL. Not a benchmark itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from django.db.models import Field, Model, QuerySet

STRIDE = 10_000
"""How far apart the primary keys of copies are: more than there are rows before."""

DAYS = 1_000
"""Over how many days back the copies are spread."""

# What tells one client or row from another, and so must not be the same in a copy.
_OF_ONES_OWN = {
    "billsby_id",
    "first_name",
    "email",
    "phone_e164",
    "phone_digits",
    "search_text",
    "form_token",
    "likeness",
    "invoice_number",
}
# When the desk looks next stays as it is: soon for what is watched, never for what is over.
_KEPT = {"next_pass_at"}


class Copier:
    """Grows the number of cases by copying `usual` again and again, and `rare` every so often."""

    def __init__(self, usual: Model, rare: Model, *, rare_every: int) -> None:
        self._usual, self._rare, self._every = usual, rare, rare_every
        self._copies = 0
        for table in _tables():
            newest = table.objects.order_by("-pk").first()  # type: ignore[attr-defined]
            if newest is not None and newest.pk >= STRIDE:
                raise ValueError(f"There are too many rows of {table} to copy.")

    @property
    def newest(self) -> int:
        """The primary key of the newest copy."""
        rare = self._copies % self._every == 0
        return int((self._rare if rare else self._usual).pk) + self._copies * STRIDE

    def grow_to(self, copies: int) -> None:
        """Have so many copies, and a database that has done its own chores about them."""
        from django.db import connection, transaction

        with transaction.atomic(), connection.cursor() as cursor:
            for template, condition in (
                (self._usual, f"n.i %% {self._every} <> 0"),
                (self._rare, f"n.i %% {self._every} = 0"),
            ):
                for rows in _rows_of(template):
                    query, values = _copying(rows, condition)
                    cursor.execute(query, [self._copies + 1, copies, *values])
            if connection.vendor == "postgresql":
                # Else it looks for what each copy refers to as in the small tables of before. The
                # desk never lets SQLite count its rows, so it must not have counted them here.
                cursor.execute("ANALYZE")
        self._copies = copies
        if connection.vendor == "postgresql":
            _count_rows()


def _count_rows() -> None:
    """Number on after the copies, and do what autovacuum would do soon."""
    from django.core.management.color import no_style
    from django.db import connection

    with connection.cursor() as cursor:
        for query in connection.ops.sequence_reset_sql(no_style(), _tables()):
            cursor.execute(query)
        cursor.execute("VACUUM ANALYZE")


def _tables() -> list[type[Model]]:
    from canceldesk.cases.models import Case, CaseSubscription, LogEntry, Message
    from canceldesk.clients.models import Client, Subscription
    from canceldesk.closing.models import Facts, Hold, Intent, Step, Watch, WriteOffApproval

    return [
        Client,
        Subscription,
        Case,
        CaseSubscription,
        Message,
        LogEntry,
        WriteOffApproval,
        Facts,
        Hold,
        Step,
        Intent,
        Watch,
    ]


def _rows_of(case: Model) -> Iterator[QuerySet[Any]]:
    """What belongs to a case, each before what refers to it."""
    paths = {
        "Client": "cases",
        "Subscription": "client__cases",
        "Case": "pk",
        "Hold": "scope__case",
    }
    for table in _tables():
        mine = {paths.get(table.__name__, "case"): case.pk}
        yield table.objects.filter(**mine)  # type: ignore[attr-defined]


def _copying(rows: QuerySet[Any], condition: str) -> tuple[str, Sequence[int]]:
    table = rows.model._meta
    keys = list(rows.values_list("pk", flat=True)) or [0]
    fields = table.local_concrete_fields
    names = ", ".join(f'"{field.column}"' for field in fields)
    copied = ", ".join(_copied(field) for field in fields)
    marks = ", ".join(["%s"] * len(keys))
    return (
        "WITH RECURSIVE n(i) AS "
        "(SELECT CAST(%s AS bigint) UNION ALL SELECT i + 1 FROM n WHERE i < %s) "
        f'INSERT INTO "{table.db_table}" ({names}) SELECT {copied} '
        f'FROM "{table.db_table}" t, n WHERE t."{table.pk.column}" IN ({marks}) AND {condition}',
        keys,
    )


def _copied(field: Field[Any, Any]) -> str:
    column = f't."{field.column}"'
    if field.name in _KEPT:
        return column
    if field.primary_key or (field.related_model in _tables()):
        return f"{column} + n.i * {STRIDE}"
    if field.name in _OF_ONES_OWN:
        room = (field.max_length or 1_000) - len("-100000")
        return f"CASE WHEN {column} = '' THEN '' ELSE substr({column}, 1, {room}) || '-' || n.i END"
    kind = field.get_internal_type()
    if kind in {"DateField", "DateTimeField"}:
        return _earlier(column, kind)
    if kind == "JSONField" and field.name == "request":
        return _request_of_ones_own(column)
    return column


def _earlier(column: str, kind: str) -> str:
    from django.db import connection

    if connection.vendor == "postgresql":
        whole = f"{column} - (n.i %% {DAYS}) * interval '1 day'"
        return f"CAST({whole} AS date)" if kind == "DateField" else whole
    form = "%%Y-%%m-%%d" if kind == "DateField" else "%%Y-%%m-%%d %%H:%%M:%%f"
    return f"strftime('{form}', {column}, '-' || (n.i %% {DAYS}) || ' days')"


def _request_of_ones_own(column: str) -> str:
    """Rows of other days: the list is asked for those of one."""
    from django.db import connection

    if connection.vendor == "postgresql":
        day = f"CAST({column} ->> 'cancelled_on' AS date) - CAST(n.i %% {DAYS} AS int)"
        changed = f"jsonb_set({column}, '{{cancelled_on}}', to_jsonb(CAST({day} AS text)))"
    else:
        day = f"date({column} ->> 'cancelled_on', '-' || (n.i %% {DAYS}) || ' days')"
        changed = f"json_set({column}, '$.cancelled_on', {day})"
    return f"CASE WHEN {column} ->> 'cancelled_on' IS NULL THEN {column} ELSE {changed} END"
