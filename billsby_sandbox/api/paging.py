"""Paging and ordering as Billsby's lists do it: `page` from 1 and `pageSize`, both required."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from flask import request

from billsby_sandbox.books import Books
from billsby_sandbox.errors import Refused
from billsby_sandbox.store import TABLES, Value

MAX_PAGE_SIZE = 100
Record = TypeVar("Record")


def envelope(
    books: Books,
    record: type[Record],
    render: Callable[[Record], dict[str, object]],
    conditions: list[tuple[str, Value]],
    columns: Mapping[str, str],
) -> dict[str, object]:
    """The page the query string asks for. `columns` maps orderable properties to columns.

    Each condition is SQL with one mark, and its value. Refused for a bad page or page size.
    """
    page, size = _whole("page", None), _whole("pageSize", MAX_PAGE_SIZE)
    where = " AND ".join(condition for condition, _ in conditions) or "1"
    values = [value for _, value in conditions]
    count = books.store.number(
        f"SELECT COUNT(*) FROM {TABLES[record]} WHERE {where}",  # noqa: S608
        *values,
    )
    found = books.store.where(
        record,
        where,
        *values,
        tail=f"ORDER BY {_order(columns)} LIMIT {size} OFFSET {(page - 1) * size}",
    )
    return {
        "currentPage": page,
        "pageCount": -(-count // size),
        "pageSize": size,
        "rowCount": count,
        "results": [render(one) for one in found],
    }


def _whole(name: str, most: int | None) -> int:
    text = request.args.get(name, "")
    if not (text.isascii() and text.isdigit()) or int(text) < 1:
        raise Refused(f"{name} must be a whole number from 1.")
    if most is not None and int(text) > most:
        raise Refused(f"{name} must not be more than {most}.")
    return int(text)


def _order(columns: Mapping[str, str]) -> str:
    """Billsby says `orderByDescending` is a direction; a public client sends the property name.

    Both are understood (billsby.md section 3).
    """
    by = request.args.get("orderBy", "").lower()
    descending = request.args.get("orderByDescending", "").lower()
    folded = {name.lower(): column for name, column in columns.items()}
    if descending in folded:
        return f"{folded[descending]} DESC, id DESC"
    if by in folded:
        falling = descending in {"true", "1", "yes", "descending"}
        return f"{folded[by]} DESC, id DESC" if falling else f"{folded[by]}, id"
    return "id"


def flag(name: str) -> bool | None:
    """A yes/no query parameter; None when it is not there. Refused for other words."""
    text = request.args.get(name)
    if text is None:
        return None
    if text.lower() not in {"true", "false"}:
        raise Refused(f"{name} must be true or false.")
    return text.lower() == "true"
