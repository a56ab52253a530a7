"""The list's own tab, with everything that XlsxWriter can put around a list."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any, Final

from tests.workbook.everything import layout
from tests.workbook.everything.layout import Client, Shape
from tests.workbook.everything.media import picture

LOGO: Final = picture(200)
THREAD: Final = "{5B7A2F0E-1111-4222-8333-0123456789AB}"
HEIGHT: Final = 21
TALL: Final = 33
TALL_ROW: Final = 7
GROUPED_ROWS: Final = (12, 13, 14)


def write(workbook: Any, sheet: Any, shape: Shape) -> None:
    """Fill the list's tab."""
    formats = _formats(workbook)
    _columns_and_rows(sheet, shape)
    _above(sheet, formats)
    _list(sheet, shape, formats)
    _below(sheet, shape, formats)
    _beside(sheet, shape, formats)
    _rules(workbook, sheet, shape)
    _notes_and_links(sheet)
    _drawn(workbook, sheet, shape)
    _page(sheet)
    _protection(sheet)


def _formats(workbook: Any) -> dict[str, Any]:
    locked = {"locked": False, "border": 1, "valign": "top"}
    return {
        "title": workbook.add_format({"bold": True, "font_size": 16, "align": "center"}),
        "heading": workbook.add_format({"bold": True, "bg_color": "#DDEBF7", "text_wrap": True}),
        "text": workbook.add_format({**locked, "font_name": "Georgia"}),
        "phone": workbook.add_format({**locked, "num_format": "@"}),
        "date": workbook.add_format({**locked, "num_format": "dd/mm/yyyy", "bg_color": "#FFF2CC"}),
        "money": workbook.add_format({**locked, "num_format": "[$£-809]#,##0.00;[Red]-#,##0.00"}),
        "months": workbook.add_format({**locked, "align": "right", "num_format": "0"}),
        "share": workbook.add_format({**locked, "italic": True, "num_format": "0.00"}),
        "box": workbook.add_format({**locked, "font_color": "#7030A0"}),
        "bold": workbook.add_format({"bold": True}),
        "red": workbook.add_format({"font_color": "red", "italic": True}),
        "sum": workbook.add_format({"bold": True, "top": 6, "num_format": "#,##0.00"}),
    }


def _columns_and_rows(sheet: Any, shape: Shape) -> None:
    sheet.set_column("A:A", 28)
    sheet.set_column("B:C", 17)
    sheet.set_column("F:F", 24)
    sheet.set_column("K:K", 9, None, {"hidden": True})
    for row in range(layout.FIRST, layout.LAST + 1):
        options: dict[str, Any] = {}
        if row in GROUPED_ROWS:
            options = {"level": 1}
        if row == layout.FILTERED_ROW:
            options = {"hidden": True}
        if row == GROUPED_ROWS[-1] + 1:
            options = {"collapsed": False}
        sheet.set_row(row - 1, TALL if row == TALL_ROW else HEIGHT, None, options)
    sheet.outline_settings(True, True, True, False)
    sheet.freeze_panes(layout.HEADING_ROW, 1)
    sheet.set_selection("B7")


def _above(sheet: Any, formats: dict[str, Any]) -> None:
    sheet.merge_range("A1:F1", "", formats["title"])
    sheet.write_rich_string(
        "A1", "Clients who ", formats["red"], "cancelled", " so far", formats["title"]
    )
    sheet.write_string("C2", "Collected so far")
    sheet.write_formula("D2", "=SUM(D5:D24)", formats["sum"], layout.total_collected())
    months = sum(client.months for client in layout.clients())
    sheet.write_formula("E2", "=AVERAGE(E5:E24)", formats["sum"], months / 20)
    sheet.write_formula("G2", "=A5", None, layout.clients()[0].name)


def _list(sheet: Any, shape: Shape, formats: dict[str, Any]) -> None:
    for column, heading in enumerate(layout.HEADINGS):
        sheet.write_string(layout.HEADING_ROW - 1, column, heading, formats["heading"])
    sheet.write_string("J4", "Running")
    if shape is Shape.TABLE:
        _table(sheet, formats)
    elif shape is Shape.RANGE:
        sheet.autofilter("A4:H24")
        sheet.filter_column_list(5, list(layout.REASONS))
    running = 0.0
    for client in layout.clients():
        running += client.collected
        _client(sheet, shape, client, formats)
        before = f"J{client.row - 1}+" if client.row > layout.FIRST else ""
        sheet.write_formula(f"J{client.row}", f"={before}D{client.row}", None, running)
    sheet.write_rich_string("F10", "No ", formats["bold"], "time", " at all", formats["text"])


def _client(sheet: Any, shape: Shape, client: Client, formats: dict[str, Any]) -> None:
    row = client.row
    sheet.write_string(f"A{row}", client.name, formats["text"])
    sheet.write_string(f"B{row}", client.phone, formats["phone"])
    moment = dt.datetime.combine(client.cancelled_on, dt.time())
    sheet.write_datetime(f"C{row}", moment, formats["date"])
    sheet.write_number(f"D{row}", client.collected, formats["money"])
    sheet.write_number(f"E{row}", client.months, formats["months"])
    sheet.write_string(f"F{row}", client.reason, formats["text"])
    share = client.collected / client.months
    if shape is Shape.TABLE:
        formula = "=Cancelled[[#This Row],[Total Amount Collected]]/E" + str(row)
    else:
        formula = f"=D{row}/E{row}"
    sheet.write_formula(f"G{row}", formula, formats["share"], share)
    sheet.insert_checkbox(row - 1, 7, row % 2 == 0, formats["box"])


def _table(sheet: Any, formats: dict[str, Any]) -> None:
    columns: list[dict[str, Any]] = [
        {"header": heading, "header_format": formats["heading"]} for heading in layout.HEADINGS
    ]
    columns[6]["formula"] = "=Cancelled[[#This Row],[Total Amount Collected]]/E5"
    columns[6]["format"] = formats["share"]
    columns[3]["format"] = formats["money"]
    style = {"style": "Table Style Medium 4", "banded_columns": True, "first_column": True}
    sheet.add_table("A4:H24", {"name": "Cancelled", "columns": columns, **style})


def _below(sheet: Any, shape: Shape, formats: dict[str, Any]) -> None:
    row = layout.TOTALS[shape]
    sheet.write_string(f"A{row}", "Total", formats["sum"])
    sheet.write_formula(f"D{row}", "=SUM(D5:D24)", formats["sum"], layout.total_collected())
    sheet.write_formula(f"E{row}", "=SUBTOTAL(101,E5:E24)", formats["sum"], 11.5)
    sheet.write_formula(f"F{row}", '=COUNTIF($F$5:$F$24,"No time")&" had no time"', None, "6")
    sheet.write_string("A28", "Below the list", formats["red"])
    sheet.merge_range("A30:B31", "merged below", formats["heading"])
    sheet.write_number("D30", 42)
    columns = [
        {"header": "Year", "total_string": "All"},
        {"header": "Left", "total_function": "sum"},
        {"header": "Twice", "formula": "=[@Left]*2"},
    ]
    options = {"name": "Below", "columns": columns, "total_row": True}
    sheet.add_table("A34:C37", {**options, "data": [[2024, 3], [2025, 5]]})
    sheet.write_dynamic_array_formula("E40:E59", "=SORT(A5:A24)", None, "Client 1")


def _beside(sheet: Any, shape: Shape, formats: dict[str, Any]) -> None:
    sheet.write_column("L4", ["Choices", *layout.REASONS, layout.FILTERED_OUT, "Would not say"])
    sheet.merge_range("L12:M14", "merged beside", formats["heading"])
    sheet.merge_range("N3:N8", "across the new row", formats["heading"])
    sheet.write_array_formula("O12:O13", "{=D12:D13*2}", None, layout.clients()[7].collected * 2)
    sheet.write_number("O13", layout.clients()[8].collected * 2)
    sheet.write_number("L20", 10)
    sheet.write_formula("P15", "=L20*2", None, 20)
    sheet.write_column("O16", [1, 2, 3])
    sheet.write_column("P16", [2, 4, 6])
    sheet.write_string("L21", "external")
    sheet.write_boolean("L22", True)
    sheet.embed_image("N22", "logo.png", {"image_data": io.BytesIO(LOGO)})


def _rules(workbook: Any, sheet: Any, shape: Shape) -> None:
    green = workbook.add_format({"bg_color": "#C6EFCE"})
    grey = workbook.add_format({"font_color": "#808080"})
    sheet.conditional_format(
        "D5:D24", {"type": "cell", "criteria": ">", "value": "$D$10", "format": green}
    )
    sheet.conditional_format("A5:G24", {"type": "formula", "criteria": "=$E5>12", "format": grey})
    sheet.conditional_format(
        "E5:E24", {"type": "data_bar", "data_bar_2010": True, "bar_color": "#63C384"}
    )
    sheet.conditional_format("J5:J24", {"type": "icon_set", "icon_style": "3_traffic_lights"})
    sheet.conditional_format(
        "A28:B31", {"type": "formula", "criteria": '=AND($A$10="x",A28<>"")', "format": green}
    )
    sheet.data_validation("F5:F24", {"validate": "list", "source": "=$L$5:$L$9"})
    sheet.data_validation("E5:E24", {"validate": "custom", "value": "=AND(E5>=0,$D5>=0)"})
    sheet.data_validation("L12", {"validate": "list", "source": "=$A$5:$A$24"})
    sheet.ignore_errors({"number_stored_as_text": "B5:B24", "formula_differs": "J5:J24 G8"})
    sheet.add_sparkline("K2", {"range": f"{shape.quoted}!D5:D24"})
    sheet.add_sparkline("K8", {"range": f"{shape.quoted}!D8:E8", "type": "column"})


def _notes_and_links(sheet: Any) -> None:
    sheet.write_comment("A4", "Newest on top", {"author": "Office"})
    sheet.write_comment("B7", "[Threaded comment] Called twice", {"author": f"tc={THREAD}"})
    sheet.write_comment("D26", "Checked by the office", {"author": "Office", "visible": True})
    sheet.write_url("L10", "https://example.com/policy?a=1&b=2#top", string="policy")
    sheet.write_url("L2", "internal:Summary!B3", string="to the summary")
    sheet.write_url("L16", "internal:A20", string="down")


def _drawn(workbook: Any, sheet: Any, shape: Shape) -> None:
    def image(cell: str, held: int, x_scale: float = 1, y_scale: float = 1) -> None:
        options = {"image_data": io.BytesIO(LOGO), "object_position": held}
        sheet.insert_image(cell, "logo.png", {**options, "x_scale": x_scale, "y_scale": y_scale})

    image("R1", 2, 1, 0.3)
    image("R3", 1, 1, 2)
    image("T3", 2, 1, 2)
    image("R12", 2)
    image("T12", 3)
    sheet.insert_textbox("U16", "", {"textlink": "=$D$10", "object_position": 1})
    chart = workbook.add_chart({"type": "column"})
    chart.add_series(_series(shape, "D"))
    chart.set_title({"name": f"={shape.quoted}!$D$4"})
    sheet.insert_chart("L40", chart)
    sheet.insert_button("U20", {"caption": "Sort", "macro": "SortList"})


def _series(shape: Shape, column: str) -> dict[str, str]:
    tab = shape.quoted
    return {
        "name": f"={tab}!${column}$4",
        "categories": f"={tab}!$A$5:$A$24",
        "values": f"={tab}!${column}$5:${column}$24",
    }


def _page(sheet: Any) -> None:
    sheet.set_landscape()
    sheet.set_paper(9)
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.4, right=0.4, top=1.1, bottom=0.9)
    options = {"image_center": "logo.png", "image_data_center": io.BytesIO(LOGO)}
    sheet.set_header('&L&"Arial,Bold"Cancelled&C&G&R&D', options)
    sheet.set_footer("&CPage &P of &N")
    sheet.print_area("A1:H26")
    sheet.repeat_rows(0, 3)
    sheet.set_h_pagebreaks([3, 14, 29])
    sheet.set_v_pagebreaks([9])


def _protection(sheet: Any) -> None:
    allowed = ("insert_rows", "format_cells", "format_rows", "sort", "autofilter", "objects")
    sheet.protect("", dict.fromkeys(allowed, True))
    sheet.unprotect_range("A5:H24", "staff")
    sheet.unprotect_range("L5:L9", "reasons")
