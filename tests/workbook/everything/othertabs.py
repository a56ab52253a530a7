"""The other tabs: some look at the list, some must not be touched at all."""

from __future__ import annotations

import io
from typing import Any

from tests.workbook.everything import layout
from tests.workbook.everything.layout import FORMULAS, LISTS, OVERVIEW, SUMMARY, Shape
from tests.workbook.everything.media import picture


def write_summary(workbook: Any, sheet: Any, shape: Shape) -> None:
    """Formulas of many shapes, and rules, that look at the list."""
    tab = shape.quoted
    for row, formula in enumerate(FORMULAS, start=1):
        sheet.write_string(f"A{row}", f"figure {row}")
        sheet.write_formula(f"B{row}", "=" + formula.before.format(T=tab), None, 1000 + row)
    sheet.write_array_formula(
        "B20", f"{{=SUM(IF({tab}!E5:E24>3,{tab}!D5:D24,0))}}", None, layout.total_collected()
    )
    sheet.write_dynamic_array_formula("G1:G4", f"=UNIQUE({tab}!F5:F24)", None, "Too expensive")
    if shape is Shape.TABLE:
        structured = "=SUM(Cancelled[Total Amount Collected])"
        sheet.write_formula("B21", structured, None, layout.total_collected())
    sheet.add_sparkline("C1", {"range": f"{tab}!D5:D24", "markers": True})
    sheet.add_sparkline("C2", {"range": f"{tab}!D12:E12"})
    red = workbook.add_format({"bg_color": "#FFC7CE"})
    sheet.conditional_format(
        "B1:B18", {"type": "formula", "criteria": f"=B1>{tab}!$D$10", "format": red}
    )
    sheet.data_validation("E1", {"validate": "list", "source": f"={tab}!$A$5:$A$24"})
    sheet.data_validation("E2", {"validate": "list", "source": "=$A$5:$A$9"})
    sheet.write_url("E5", f"internal:{tab}!A9", string="the fifth client")
    sheet.write_comment("A3", "unmoved", {"author": "Office"})
    chart = workbook.add_chart({"type": "line"})
    chart.add_series(
        {
            "name": f"={tab}!$D$4",
            "categories": f"={tab}!$C$5:$C$24",
            "values": f"={tab}!$D$5:$D$24",
        }
    )
    chart.add_series({"name": "Ten and on", "values": f"={tab}!$E$10:$E$24"})
    sheet.insert_chart("I8", chart)
    sheet.insert_textbox("I30", "", {"textlink": f"={tab}!$D$10"})


def write_overview(workbook: Any, sheet: Any, shape: Shape) -> None:
    """A tab whose own name needs quotes, with a picture that must stay where it is."""
    sheet.write_formula("A1", f"='{OVERVIEW.replace(chr(39), chr(39) * 2)}'!B1", None, 5)
    sheet.write_number("B1", 5)
    sheet.write_formula("A2", f"=COUNTA({shape.quoted}!B5:B24)+B1", None, 25)
    sheet.write_string("A9", "ninth")
    sheet.insert_image("D9", "other.png", {"image_data": io.BytesIO(picture(20))})
    chart = workbook.add_chart({"type": "pie"})
    quoted = shape.quoted
    chart.add_series(
        {"categories": f"={quoted}!$F$5:$F$24", "values": f"=({quoted}!$E$5:$E$8,{quoted}!$E$10)"}
    )
    sheet.insert_chart("F9", chart)
    sheet.print_area("A1:C9")


def write_picture(workbook: Any, sheet: Any, shape: Shape) -> None:
    """A sheet that is nothing but a chart."""
    chart = workbook.add_chart({"type": "scatter"})
    tab = shape.quoted
    chart.add_series({"categories": f"={tab}!$E$5:$E$24", "values": f"={tab}!$D$5:$D$24"})
    sheet.set_chart(chart)


def write_lists(workbook: Any, sheet: Any) -> None:
    """A tab that knows nothing of the list."""
    bold = workbook.add_format({"bold": True})
    sheet.write_column("A1", ["+1", "+44", "+49", "+33", "+1 809"])
    sheet.write_rich_string("B1", "partly ", bold, "bold")
    sheet.write_formula("C5", "=SUM(D5:D24)", None, 0)
    sheet.add_table("E4:F8", {"name": "Codes", "data": [[1, "one"], [2, "two"]]})
    sheet.write_comment("A5", "unmoved", {"author": "Office"})
    sheet.merge_range("A10:B12", "unmoved")
    sheet.insert_image("H5", "other.png", {"image_data": io.BytesIO(picture(20))})


def write_archive(sheet: Any) -> None:
    """A hidden tab that looks like the list and is not it."""
    sheet.write_row("A4", layout.HEADINGS)
    for client in layout.clients()[:6]:
        sheet.write_row(
            client.row - 1, 0, [client.name, client.phone, "", client.collected, client.months]
        )
    sheet.write_formula("D12", "=SUM(D5:D10)", None, 3000)
    sheet.autofilter("A4:F10")
    sheet.set_row(6, 44)
    sheet.hide()


def names(workbook: Any, shape: Shape) -> None:
    """Names of every kind; `EXPECTED_NAMES` in the checks says what becomes of them."""
    tab = shape.quoted
    workbook.define_name("AmountsCollected", f"={tab}!$D$5:$D$24")
    workbook.define_name("OneClient", f"={tab}!$A$9")
    workbook.define_name("Headings", f"={tab}!$A$4:$H$4")
    workbook.define_name("Rate", "=0.19")
    workbook.define_name("Growing", f"=OFFSET({tab}!$A$4,1,0,COUNTA({tab}!$B:$B)-1,1)")
    workbook.define_name("Both", f"={tab}!$D$5:$D$24,{tab}!$L$20")
    workbook.define_name("Elsewhere", f"={LISTS}!$A$1:$A$5")
    workbook.define_name(f"{SUMMARY}!Local", f"={tab}!$E$5:$E$24")
