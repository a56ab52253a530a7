"""Writing a drawn plan of a workbook as a file, by XlsxWriter."""

from __future__ import annotations

import datetime as dt
import re
import zipfile
from pathlib import Path
from typing import Any

import xlsxwriter

from tests.workbook.following import column_letters
from tests.workbook.respelling import respell
from tests.workbook.strategies import Line, Plan
from tests.workbook.surroundings import AROUND, Spot

BESIDE = 4
"""How many columns right of the list its neighbours stand."""


def build(plan: Plan, path: Path) -> Path:
    """Write the planned workbook and put it into its spelling."""
    with xlsxwriter.Workbook(str(path), {"date_1904": plan.date1904}) as workbook:
        names = list(plan.others)
        names.insert(plan.list_at, plan.tab)
        sheets = {name: workbook.add_worksheet(name) for name in names}
        _List(workbook, sheets[plan.tab], plan).write()
        for name in plan.others:
            _other(sheets[name])
        for number, (name, formula) in enumerate(plan.formulas):
            sheets[name].write_formula(number, 1, "=" + formula, None, 10 + number)
        _whole_list(sheets[plan.others[0]], plan)
        for reference in plan.charted:
            chart = workbook.add_chart({"type": "column"})
            chart.add_series({"values": f"={reference.replace('$', '')}"})
            sheets[plan.others[-1]].insert_chart("D12", chart)
        for number, reference in enumerate(plan.names):
            workbook.define_name(f"Named_{number}", "=" + reference)
    if plan.shared_formulas:
        _share(path, plan)
    respell(path, plan.spelling)
    return path


def _share(path: Path, plan: Plan) -> None:
    """Store the formulas beside the list as Excel stores those that were filled down."""
    with zipfile.ZipFile(path) as package:
        members = {name: package.read(name) for name in package.namelist()}
    name = f"xl/worksheets/sheet{plan.list_at + 1}.xml"
    text = members[name].decode()
    letters = column_letters(plan.left + len(plan.columns) + BESIDE)
    for row in range(plan.first + 1, plan.last + 1):
        cell = re.search(rf'(<c r="{letters}{row}"[^>]*>)<f>([^<]*)</f>', text)
        assert cell is not None
        top = f' ref="{letters}{row}:{letters}{plan.last}"' if row == plan.first + 1 else ""
        body = f">{cell[2]}</f>" if top else "/>"
        text = text.replace(cell[0], f'{cell[1]}<f t="shared"{top} si="0"{body}', 1)
    members[name] = text.encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for member, data in members.items():
            package.writestr(member, data)


def _other(sheet: Any) -> None:
    sheet.write_column("A1", ["text", 4.5, True, "more"])
    sheet.write_formula("A9", "=SUM(A1:A8)", None, 4.5)


def _whole_list(sheet: Any, plan: Plan) -> None:
    """Sums over the whole list, which must have the new row's figures in them afterwards."""
    if len(plan.lines) < 2:
        return
    for row, (function, field) in enumerate((("SUM", "collected"), ("COUNTA", "name"))):
        letters = column_letters(plan.column(field))
        area = f"${letters}${plan.first}:${letters}${plan.last}"
        sheet.write_formula(row, 25, f"={function}({plan.quoted}!{area})", None, 0)


class _List:
    def __init__(self, workbook: Any, sheet: Any, plan: Plan) -> None:
        self.workbook, self.sheet, self.plan = workbook, sheet, plan
        self.right = plan.left + len(plan.columns)
        styled = {"bg_color": "#FFF2CC", "border": 1} if plan.styled else {}
        self.date = workbook.add_format({**styled, "num_format": "yyyy-mm-dd"})
        self.money = workbook.add_format({**styled, "num_format": '"$"#,##0.00'})
        self.plain = workbook.add_format(styled) if styled else None

    def write(self) -> None:
        """Fill the list's tab."""
        plan, sheet = self.plan, self.sheet
        if plan.right_to_left:
            sheet.right_to_left()
        if plan.heading_row > 1:
            sheet.write_string(0, 0, "Our clients who left")
            if plan.merged_title:
                sheet.merge_range(0, 0, 0, 2, "Our clients who left")
        for column in plan.hidden_columns:
            sheet.set_column(plan.left + column, plan.left + column, 9, None, {"hidden": True})
        self._headings()
        for number, line in enumerate(plan.lines):
            self._line(plan.first + number, line)
        self._filter_or_table()
        self._below()
        if plan.rules and plan.lines:
            self._rules()
        for number, formula in enumerate(plan.own_formulas):
            row = 0 if number == 0 and plan.heading_row > 1 else plan.last + 20 + number
            sheet.write_formula(row, self.right + 8, "=" + formula, None, 20 + number)
        for number, formula in enumerate(plan.row_formulas):
            row = plan.first - 1 + number
            sheet.write_formula(row, self.right + BESIDE + 1, "=" + formula, None, 30 + number)
        for number, formula in enumerate(plan.block_formulas):
            row = plan.last + 30 + 3 * number
            area = (row, self.right + 8, row + 1, self.right + 8)
            sheet.write_array_formula(*area, f"{{={formula}}}", None, 40 + number)
        for cells, formula in plan.covering:
            self._covering(cells, formula)
        self._around()
        if plan.note_below:
            sheet.write_string(
                (plan.totals or plan.last) + 3, plan.column("name") - 1, plan.note_below
            )

    def _headings(self) -> None:
        row = self.plan.heading_row - 1
        for number, heading in enumerate(self.plan.columns):
            column = self.plan.left + number
            if not heading:
                continue
            if self.plan.heading_style == "merged":
                self.sheet.merge_range(row, column, row + 1, column, heading)
            elif self.plan.heading_style == "two":
                upper, _, lower = heading.rpartition(" ")
                if upper:
                    self.sheet.write_string(row, column, upper)
                self.sheet.write_string(row + 1, column, lower)
            else:
                self.sheet.write_string(row, column, heading)

    def _line(self, number: int, line: Line) -> None:
        row, plan = number - 1, self.plan
        if line.height or line.hidden:
            self.sheet.set_row(row, line.height, None, {"hidden": line.hidden})
        values = {
            "name": line.name,
            "phone": line.phone,
            "cancelled_on": line.cancelled_on,
            "collected": line.collected,
            "months": line.months,
            "reason": line.reason,
        }
        for field, value in values.items():
            self._value(row, plan.column(field) - 1, value)
        if plan.styled:
            for offset, (field, heading) in enumerate(zip(plan.fields, plan.columns, strict=True)):
                if not field and heading:
                    self.sheet.write_blank(row, plan.left + offset, None, self.plain)
        amount = f"{column_letters(plan.column('collected'))}{number}"
        letters = column_letters(self.right + BESIDE)
        above = f"{letters}{number - 1}+" if number > plan.first else ""
        self.sheet.write_formula(row, self.right + BESIDE - 1, f"={above}N({amount})", None, 1)

    def _value(self, row: int, column: int, value: dt.date | str | float) -> None:
        if isinstance(value, dt.date):
            moment = dt.datetime.combine(value, dt.time())
            self.sheet.write_datetime(row, column, moment, self.date)
        elif isinstance(value, str):
            if value or self.plain:
                self.sheet.write_string(row, column, value, self.plain)
        else:
            style = self.plain if value == int(value) else self.money
            self.sheet.write_number(row, column, value, style)

    def _filter_or_table(self) -> None:
        plan = self.plan
        area = (plan.first - 2, plan.left, max(plan.last, plan.first) - 1, self.right - 1)
        if plan.kind == "filtered":
            self.sheet.autofilter(*area)
        elif plan.kind == "table":
            columns: list[dict[str, Any]] = [{"header": heading} for heading in plan.columns]
            if "Team" in plan.columns and plan.lines:
                months = plan.columns[plan.fields.index("months")]
                calculated = columns[plan.columns.index("Team")]
                calculated["formula"] = f"=LEN(Listed[[#This Row],[{months}]])"
            self.sheet.add_table(*area, {"name": "Listed", "columns": columns})

    def _below(self) -> None:
        plan = self.plan
        if plan.totals is not None:
            letters = column_letters(plan.column("collected"))
            self.sheet.write_string(plan.totals - 1, plan.column("name") - 1, "Total")
            formula = f"=SUM({letters}{plan.first}:{letters}{plan.last})"
            self.sheet.write_formula(plan.totals - 1, plan.column("collected") - 1, formula)

    def _around(self) -> None:
        plan = self.plan
        grey = self.workbook.add_format({"bg_color": "#DDDDDD", "locked": False})
        spot = Spot(
            self.sheet,
            first=plan.first - 1,
            far=self.right + 12,
            below=plan.last + 60,
            left=plan.left,
            right=self.right,
            format=grey,
            quoted=plan.quoted,
        )
        for what in sorted(plan.around):
            AROUND[what](spot)

    def _covering(self, cells: str, formula: str) -> None:
        options = {"type": "formula", "criteria": "=" + formula, "multi_range": cells}
        options["format"] = self.workbook.add_format({"bold": True})
        self.sheet.conditional_format(cells.split(maxsplit=1)[0], options)

    def _rules(self) -> None:
        plan, sheet = self.plan, self.sheet
        top, bottom = plan.first - 1, plan.last - 1
        amount, months = plan.column("collected") - 1, plan.column("months") - 1
        letters = column_letters(amount + 1)
        red = self.workbook.add_format({"font_color": "red"})
        formula = f"=${letters}{plan.first}>${letters}${plan.last}"
        sheet.conditional_format(
            top, amount, bottom, amount, {"type": "formula", "criteria": formula, "format": red}
        )
        options = {"validate": "custom", "value": f"={column_letters(months + 1)}{plan.first}>=0"}
        sheet.data_validation(top, months, bottom, months, options)
        below = plan.last + 9
        sheet.merge_range(below, self.right + 1, below + 1, self.right + 2, "merged")
        sheet.write_url(below, self.right + 5, "https://example.com/", string="a link")
        sheet.write_comment(plan.first - 1, self.right + 5, "beside the first row")
        sheet.set_row(below, 33)
        sheet.ignore_errors(
            {"number_stored_as_text": f"{letters}{plan.first}:{letters}{plan.last}"}
        )
