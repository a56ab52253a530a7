"""Billsby's JSON objects, read tolerantly.

Names are compared without case, because Billsby's own pages differ ("subscriptionUniqueID",
"subscriptionUniqueId"; "customerFullname", "customerFullName"). Unknown fields are ignored: the
published examples are not complete. What a field may look like is said in
:mod:`canceldesk.billsby.scalars`.
"""

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from .bodies import Unreadable
from .scalars import Count, Id, OptionalId, Text


class Row(BaseModel):
    """An object of Billsby's whose names are looked up without case."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=lambda name: name.replace("_", "")
    )

    @model_validator(mode="before")
    @classmethod
    def _plain_names(cls, given: object) -> dict[str, Any]:
        if not isinstance(given, dict):
            raise ValueError("not an object")
        plain: dict[str, Any] = {}
        for name, value in given.items():
            key = str(name).casefold()
            if plain.get(key) is None:
                plain[key] = value
            elif value is not None and value != plain[key]:
                raise ValueError(f"it says {key} twice")
        return plain


R = TypeVar("R", bound=Row)


def read_row(kind: type[R], value: object) -> R:
    """Read ``value`` as ``kind``; Unreadable names the field and the problem, not the value."""
    try:
        return kind.model_validate(value)
    except ValidationError as problem:
        first = problem.errors(include_input=False, include_context=False, include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        what = first["msg"].removeprefix("Value error, ")
        raise Unreadable(f"{where}: {what}" if where else what) from None


class PageRow(Row):
    """The envelope of every list that comes in pages."""

    page_count: Count
    row_count: Count
    results: list[Any]


class WebhookRow(Row):
    """The fields of all nine webhook types together."""

    id: Id
    type: Id
    customer_unique_id: OptionalId = None
    subscription_unique_id: OptionalId = None
    invoice_number: OptionalId = None
    subscription_status: Text = ""
    invoice_status: Text = ""
    status: Text = ""
