"""A new workbook with an empty list, made the way the list is kept from then on."""

from __future__ import annotations

import io
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import xlsxwriter

from canceldesk.workbook import text
from canceldesk.workbook.errors import CannotPlace, CannotSave
from canceldesk.workbook.ooxml import styles
from canceldesk.workbook.protocol import FIELDS, ListView
from canceldesk.workbook.storing import saving
from canceldesk.workbook.workbooklist import WorkbookList

TAB: Final = "Cancellations"
TABLE: Final = "Cancellations"
HEADINGS: Final[Mapping[str, str]] = {
    "name": "Name",
    "phone": "Phone Number",
    "cancelled_on": "Date of Cancellation",
    "collected": "Total Amount Collected",
    "months": "Number of Months in the Program",
    "reason": "Reason for Cancellation",
    "reference": "Reference",
}
"""The headings as the procedure names what is written down."""
REASONS: Final = ("Too expensive", "Moved away", "No longer needed", "Unhappy", "Other")
_WIDTHS: Final = {
    "name": 28, "phone": 20, "cancelled_on": 16, "collected": 18, "months": 16, "reason": 48,
    "reference": 16,
}  # fmt: skip
_SIGNS: Final = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥", "INR": "₹"}
_NOT_IN_TAB_NAMES: Final = re.compile(r"[\[\]:*?/\\]")
_LONGEST_TAB_NAME: Final = 31
_LONGEST_HEADING: Final = 255


def create_list(
    path: Path | str,
    *,
    tab: str | None = None,
    headings: Mapping[str, str] | None = None,
    currency: str = "USD",
    with_reference: bool = False,
) -> ListView:
    """Make a workbook at `path` that holds an empty list, and give the list as it was read back.

    `tab` and `headings` (by field) are named as given, else as the procedure names them; a heading
    for `reference` makes that column as well. The file is written beside its place, forced to the
    disk and put there whole; a file that is there already is never replaced. Raises `CannotSave`,
    `CannotPlace`, or `CannotRead` where it was put but could not be read back.
    """
    path = Path(path)
    own = {**HEADINGS, **(headings or {})}
    fields = [field for field in FIELDS if _wanted(field, headings or {}, with_reference)]
    texts = {field: " ".join(text.storable(own[field]).split()) for field in fields}
    name = TAB if tab is None else text.storable(tab).strip()
    _check_place(path)
    _check_names(name, texts)
    if not saving.create(path, _made(name, texts, currency.upper())):
        raise _is_there(path)
    return WorkbookList(path, tab=tab, headings=headings, currency=currency).read()


def money_format(currency: str) -> str:
    """The number format for amounts in a currency (ISO 4217): its sign, or its letters, before."""
    sign = _SIGNS.get(currency)
    return f'"{sign}"#,##0.00' if sign else f'"{currency}" #,##0.00'


def _wanted(field: str, headings: Mapping[str, str], with_reference: bool) -> bool:
    return field != "reference" or with_reference or field in headings


def _check_place(path: Path) -> None:
    if path.suffix.casefold() != ".xlsx":
        raise CannotSave(
            f"A new workbook is saved as .xlsx, so “{path.name}” is no name for one. "
            "Give it a name that ends in .xlsx."
        )
    if os.path.lexists(path):
        raise _is_there(path)
    if not path.parent.is_dir():
        raise CannotSave(
            f"There is no folder {path.parent}, so no workbook can be made in it. Check the path, "
            "and that the shared folder is connected."
        )


def _is_there(path: Path) -> CannotSave:
    return CannotSave(
        f"There is something at {path} already, and it is never replaced. Use it as it is, or give "
        "the new workbook another name."
    )


def _check_names(tab: str, headings: Mapping[str, str]) -> None:
    if (
        not tab
        or len(tab) > _LONGEST_TAB_NAME
        or _NOT_IN_TAB_NAMES.search(tab)
        or tab.startswith("'")
        or tab.endswith("'")
        or tab.casefold() == "history"
    ):
        raise CannotPlace(
            f"Excel does not take “{tab}” as the name of a tab: it has 1 to {_LONGEST_TAB_NAME} "
            "characters, none of them [ ] : * ? / \\, no apostrophe at its ends, and is not "
            "“History”. Name the tab otherwise."
        )
    folded = [heading.casefold() for heading in headings.values()]
    for heading in headings.values():
        if not heading or len(heading) > _LONGEST_HEADING:
            raise CannotPlace(
                f"A heading has 1 to {_LONGEST_HEADING} characters. Name the headings otherwise."
            )
        if folded.count(heading.casefold()) > 1:
            raise CannotPlace(
                f"Two columns cannot both be headed “{heading}”. Name one of them otherwise."
            )


def _made(tab: str, headings: Mapping[str, str], currency: str) -> bytes:
    """The new workbook's bytes: a table with one blank row, since Excel knows none without rows."""
    content = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(content, options) as workbook:
        workbook.set_properties({"title": "Cancelled clients"})
        sheet = workbook.add_worksheet(tab)
        _write_table(workbook, sheet, headings, currency)
        _suggest_reasons(sheet, list(headings).index("reason"))
        sheet.freeze_panes(1, 1)
        sheet.repeat_rows(0)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
        sheet.set_footer("&L&A&RPage &P of &N")
    return content.getvalue()


def _write_table(workbook: Any, sheet: Any, headings: Mapping[str, str], currency: str) -> None:  # noqa: ANN401 - no types there
    heading = workbook.add_format(
        {"bold": True, "bg_color": "#1F4E78", "font_color": "#FFFFFF", "text_wrap": True}
        | {"valign": "vcenter"}
    )
    line = {"valign": "top", "bottom": 1, "bottom_color": "#D9E1F2"}
    looks: dict[str, dict[str, Any]] = {
        "name": {"text_wrap": True},
        "phone": {"num_format": "@"},
        "cancelled_on": {"num_format": styles.DATE_FORMAT, "align": "left"},
        "collected": {"num_format": money_format(currency)},
        "months": {"num_format": "0", "align": "center"},
        "reason": {"text_wrap": True},
        "reference": {"num_format": "@"},
    }
    formats = {field: workbook.add_format({**line, **looks[field]}) for field in headings}
    for column, field in enumerate(headings):
        sheet.set_column(column, column, _WIDTHS[field], formats[field])
        sheet.write_blank(1, column, None, formats[field])
    columns = [
        {"header": text.escaped(words), "header_format": heading} for words in headings.values()
    ]
    table = {"name": TABLE, "columns": columns, "style": "Table Style Medium 2"}
    sheet.set_row(0, 48)
    sheet.add_table(0, 0, 1, len(headings) - 1, table)


def _suggest_reasons(sheet: Any, column: int) -> None:  # noqa: ANN401 - no types there
    offered = {
        "validate": "list",
        "source": list(REASONS),
        "ignore_blank": True,
        "show_error": False,
        "input_title": "Reason",
        "input_message": "Choose one, or write what the client said.",
    }
    sheet.data_validation(1, column, 1, column, offered)
