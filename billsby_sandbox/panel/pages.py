"""What the panel's pages share: pages of a long list, and what a click came to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar
from urllib.parse import urlencode

from flask import flash, redirect, request
from werkzeug.wrappers import Response

from billsby_sandbox.api.routes import company
from billsby_sandbox.errors import Refused
from billsby_sandbox.store import TABLES, Value

PAGE_SIZE = 25
Record = TypeVar("Record")


class Page(Generic[Record]):
    """One page of records, newest first."""

    def __init__(self, record: type[Record], condition: str = "1", *values: Value) -> None:
        store = company().books.store
        asked = request.args.get("page", "1")
        self.number = max(1, int(asked)) if asked.isdigit() else 1
        self.count = store.number(
            f"SELECT COUNT(*) FROM {TABLES[record]} WHERE {condition}",  # noqa: S608
            *values,
        )
        self.last = max(1, -(-self.count // PAGE_SIZE))
        self.records = store.where(
            record,
            condition,
            *values,
            tail=f"ORDER BY created_at DESC, id DESC "
            f"LIMIT {PAGE_SIZE} OFFSET {(self.number - 1) * PAGE_SIZE}",
        )

    def address(self, number: int) -> str:
        """Where another page of the same list is."""
        return f"{request.path}?{urlencode({**request.args, 'page': str(number)})}"


def clicked(action: Callable[[], object], done: str, *, to: str, back: str) -> Response:
    """Do what was clicked: on to one page with good news, or back to another with the refusal."""
    try:
        action()
    except Refused as refused:
        flash(refused.words, "refused")
        return redirect(back)
    flash(done, "done")
    return redirect(to)
