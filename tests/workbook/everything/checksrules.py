"""Checks of formats, validation, sparklines and what else lies on ranges of a sheet."""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from tests.workbook.everything.features import Pair, feature
from tests.workbook.everything.layout import LISTS, OVERVIEW, SUMMARY
from tests.workbook.everything.looking import Book, all_named, local, moved, text_in


@dataclass(frozen=True)
class Rule:
    """A conditional format or a validation: its kind, the cells, its formulas."""

    kind: str
    cells: str
    formulas: tuple[str, ...]
    extended: bool


def _formats(book: Book, tab: str) -> list[Rule]:
    found = []
    for block in all_named(book.tab(tab).root, "conditionalFormatting"):
        cells = block.get("sqref") or text_in(block, "sqref")
        for rule in all_named(block, "cfRule"):
            texts = [e.text or "" for e in all_named(rule, "formula", "f")]
            kind = rule.get("type", "")
            found.append(Rule(kind, cells, tuple(texts), "sqref" not in block.attrib))
    return found


def _validations(book: Book, tab: str) -> list[Rule]:
    found = []
    for rule in all_named(book.tab(tab).root, "dataValidation"):
        cells = rule.get("sqref") or text_in(rule, "sqref")
        texts = []
        for element in all_named(rule, "formula1", "formula2"):
            texts.append(text_in(element, "f") or element.text or "")
        found.append(Rule(rule.get("type", ""), cells, tuple(texts), "sqref" not in rule.attrib))
    return found


def _covers(rules: list[Rule], kind: str, columns: str) -> Rule:
    """The rule of that kind over the list's rows in those columns, however it starts."""
    first, _, last = columns.partition(":")
    allowed = [f"{first}{top}:{last or first}25" for top in (5, 6)]
    found = [rule for rule in rules if rule.kind == kind and rule.cells in allowed]
    assert len(found) == 1, f"{kind} over {columns}: {rules}"
    return found[0]


@feature("CF cellIs")
def cf_cell_is(pair: Pair) -> None:
    assert _covers(_formats(pair.after, pair.tab), "cellIs", "D").formulas == ("$D$11",)


@feature("CF formula")
def cf_formula(pair: Pair) -> None:
    rule = _covers(_formats(pair.after, pair.tab), "expression", "A:G")
    assert rule.formulas == (f"$E{rule.cells[1]}>12",)


@feature("CF data bar + x14 ext")
def cf_data_bar(pair: Pair) -> None:
    bar = [rule for rule in _formats(pair.after, pair.tab) if rule.kind == "dataBar"]
    assert {rule.extended for rule in bar} == {False, True}
    assert {rule.cells for rule in bar} in ({"E5:E25"}, {"E6:E25"})
    ids = [e.text for e in all_named(pair.after.tab(pair.tab).root, "id")]
    extended = [e.get("id") for e in all_named(pair.after.tab(pair.tab).root, "cfRule")]
    assert ids
    assert set(ids) <= set(extended)


@feature("CF icon sets, also x14")
def cf_icon_sets(pair: Pair) -> None:
    rules = [rule for rule in _formats(pair.after, pair.tab) if rule.kind == "iconSet"]
    plain, extended = sorted(rules, key=lambda rule: rule.extended)
    assert plain.cells in ("J5:J25", "J6:J25")
    assert extended.cells in ("D5:D25", "D6:D25")
    assert extended.formulas == ("0", "$D$11", "2000")


@feature("CF below list, abs ref")
def cf_below(pair: Pair) -> None:
    (rule,) = [rule for rule in _formats(pair.after, pair.tab) if rule.cells == "A29:B32"]
    assert rule.formulas == ('AND($A$11="x",A29<>"")',)


@feature("POLICY: CF covers new row")
def cf_policy(pair: Pair) -> None:
    rules = _formats(pair.after, pair.tab)
    covering = {(rule.kind, rule.cells, rule.extended) for rule in rules}
    assert covering >= {
        ("cellIs", "D5:D25", False),
        ("expression", "A5:G25", False),
        ("dataBar", "E5:E25", False),
        ("dataBar", "E5:E25", True),
        ("iconSet", "D5:D25", True),
    }


@feature("CF on other sheet")
def cf_other_sheet(pair: Pair) -> None:
    rules = _formats(pair.after, SUMMARY)
    assert Rule("expression", "B1:B18", (f"B1>{pair.quoted}!$D$11",), False) in rules
    assert Rule("expression", "A1:A18", (f"$A1={pair.quoted}!$A$10",), True) in rules


@feature("data validation list")
def dv_list(pair: Pair) -> None:
    rules = _validations(pair.after, pair.tab)
    plain = [rule for rule in rules if not rule.extended]
    assert _covers(plain, "list", "F").formulas == ("$L$6:$L$10",)
    (other,) = [rule for rule in plain if rule.cells == "L13"]
    assert other.formulas in {("$A$5:$A$25",), ("$A$6:$A$25",)}


@feature("data validation custom")
def dv_custom(pair: Pair) -> None:
    rule = _covers(_validations(pair.after, pair.tab), "custom", "E")
    top = rule.cells[1]
    assert rule.formulas == (f"AND(E{top}>=0,$D{top}>=0)",)


@feature("POLICY: DV covers new row")
def dv_policy(pair: Pair) -> None:
    covering = {rule.cells: rule.formulas for rule in _validations(pair.after, pair.tab)}
    assert {"F5:F25", "E5:E25", "B5:B25"} <= covering.keys()
    assert covering["L13"] == ("$A$5:$A$25",)


@feature("DV on other sheet")
def dv_other_sheet(pair: Pair) -> None:
    rules = {rule.cells: rule for rule in _validations(pair.after, SUMMARY)}
    tab = pair.quoted
    assert rules["E1"].formulas in {(f"{tab}!$A$5:$A$25",), (f"{tab}!$A$6:$A$25",)}
    assert rules["E2"].formulas == ("$A$5:$A$9",)


@feature("DV of the x14 kind")
def dv_extended(pair: Pair) -> None:
    own = [rule for rule in _validations(pair.after, pair.tab) if rule.extended]
    assert [rule.formulas for rule in own] == [("Lists!$A$1:$A$5",)]
    assert own[0].cells in ("B5:B25", "B6:B25")
    (rule,) = [rule for rule in _validations(pair.after, SUMMARY) if rule.extended]
    allowed = {(f"{pair.quoted}!$B${top}:$B$25",) for top in (5, 6)}
    assert rule.cells == "E3"
    assert rule.formulas in allowed


def _sparklines(book: Book, tab: str) -> set[tuple[str, str]]:
    return {
        (text_in(line, "f"), text_in(line, "sqref"))
        for line in all_named(book.tab(tab).root, "sparkline")
    }


@feature("sparklines other sheet")
def sparklines_other(pair: Pair) -> None:
    tab = pair.quoted
    found = _sparklines(pair.after, SUMMARY)
    allowed = [{(f"{tab}!D{top}:D25", "C1"), (f"{tab}!D13:E13", "C2")} for top in (5, 6)]
    assert found in allowed


@feature("sparkline in list sheet")
def sparkline_in_list(pair: Pair) -> None:
    tab = pair.quoted
    found = _sparklines(pair.after, pair.tab)
    allowed = [{(f"{tab}!D{top}:D25", "K2"), (f"{tab}!D9:E9", "K9")} for top in (5, 6)]
    assert found in allowed


@feature("POLICY: sparklines include new row")
def sparkline_policy(pair: Pair) -> None:
    tab = pair.quoted
    assert (f"{tab}!D5:D25", "C1") in _sparklines(pair.after, SUMMARY)
    assert (f"{tab}!D5:D25", "K2") in _sparklines(pair.after, pair.tab)


def _merges(book: Book, tab: str) -> set[str]:
    return {str(merge.get("ref")) for merge in all_named(book.tab(tab).root, "mergeCell")}


@feature("merged cells")
def merged_cells(pair: Pair) -> None:
    assert _merges(pair.after, pair.tab) == {"A1:F1", "A31:B32", "L13:M15", "N3:N9"}
    assert _merges(pair.after, LISTS) == {"A10:B12"}


def _links(book: Book, tab: str) -> dict[str, str]:
    sheet = book.tab(tab)
    targets = {arrow.id: arrow.target for arrow in book.arrows(sheet.part)}
    links = {}
    for link in all_named(sheet.root, "hyperlink"):
        made = next((v for k, v in link.attrib.items() if str(k).endswith("}id")), None)
        target = "" if made is None else targets[str(made)]
        place = link.get("location")
        links[str(link.get("ref"))] = target + ("" if place is None else f"#{place}")
    return links


@feature("hyperlinks")
def hyperlinks(pair: Pair) -> None:
    assert _links(pair.after, pair.tab) == {
        "L11": "https://example.com/policy?a=1&b=2#top",
        "L2": "#Summary!B3",
        "L17": "#A21",
    }
    assert _links(pair.after, SUMMARY) == {"E5": f"#{pair.quoted}!A10"}


@feature("freeze panes")
def freeze_panes(pair: Pair) -> None:
    pane = all_named(pair.after.tab(pair.tab).root, "pane")[0]
    expected = {"xSplit": "1", "ySplit": "4", "topLeftCell": "B5", "state": "frozen"}
    assert {name: pane.get(name) for name in expected} == expected


def _widths(book: Book, tab: str) -> dict[int, tuple[float, bool]]:
    widths = {}
    for described in (e for group in all_named(book.tab(tab).root, "cols") for e in group):
        for column in range(int(described.get("min", "0")), int(described.get("max", "0")) + 1):
            hidden = described.get("hidden") in ("1", "true")
            widths[column] = (float(described.get("width", "0")), hidden)
    return widths


@feature("column widths")
def column_widths(pair: Pair) -> None:
    for tab in pair.before.tabs:
        assert _widths(pair.after, tab.name) == _widths(pair.before, tab.name)
    assert _widths(pair.after, pair.tab)[11][1]


@feature("page breaks")
def page_breaks(pair: Pair) -> None:
    root = pair.after.tab(pair.tab).root
    breaks = {
        name: [one.get("id") for group in all_named(root, name) for one in group]
        for name in ("rowBreaks", "colBreaks")
    }
    assert breaks == {"rowBreaks": ["3", "15", "30"], "colBreaks": ["9"]}


def _attributes(root: etree._Element, name: str) -> list[dict[str, str]]:
    """Attributes of elements of that name, ids of relationships left out."""
    return [
        {str(k): str(v) for k, v in element.attrib.items() if not str(k).startswith("{")}
        for element in all_named(root, name)
    ]


@feature("page setup/header")
def page_setup(pair: Pair) -> None:
    before, after = pair.before.tab(pair.tab).root, pair.after.tab(pair.tab).root
    setup, was = _attributes(after, "pageSetup")[0], _attributes(before, "pageSetup")[0]
    assert {name: setup.get(name) for name in was} == was
    for name in ("oddHeader", "oddFooter"):
        assert text_in(after, name) == text_in(before, name) != ""
    margins = [
        {name: float(value) for name, value in _attributes(root, "pageMargins")[0].items()}
        for root in (before, after)
    ]
    assert margins[0] == margins[1]
    fit = _attributes(after, "pageSetUpPr")
    assert fit
    assert fit[0].get("fitToPage") in ("1", "true")


@feature("picture in the header")
def header_picture(pair: Pair) -> None:
    root = pair.after.tab(pair.tab).root
    (legacy,) = all_named(root, "legacyDrawingHF")
    made = next(str(v) for k, v in legacy.attrib.items() if str(k).endswith("}id"))
    arrows = {arrow.id: arrow for arrow in pair.after.arrows(pair.after.tab(pair.tab).part)}
    (image,) = pair.after.arrows(arrows[made].target)
    assert pair.after.members[image.target].startswith(b"\x89PNG")


@feature("ignored errors")
def ignored_errors(pair: Pair) -> None:
    errors = {
        str(error.get("sqref")): {k for k in error.attrib if k != "sqref"}
        for error in all_named(pair.after.tab(pair.tab).root, "ignoredError")
    }
    allowed = [
        {f"B{top}:B25": {"numberStoredAsText"}, f"J{side}:J25 G9": {"formula"}}
        for top in (5, 6)
        for side in (5, 6)
    ]
    assert errors in allowed


@feature("sheet protection kept")
def protection(pair: Pair) -> None:
    before = _attributes(pair.before.tab(pair.tab).root, "sheetProtection")[0]
    after = _attributes(pair.after.tab(pair.tab).root, "sheetProtection")[0]
    assert {name: after.get(name) for name in before} == before
    assert before["insertRows"] == "0"


@feature("ranges that may be edited")
def protected_ranges(pair: Pair) -> None:
    ranges = {
        str(one.get("name")): str(one.get("sqref"))
        for one in all_named(pair.after.tab(pair.tab).root, "protectedRange")
    }
    assert ranges["staff"] in ("A5:H25", "A6:H25")
    assert ranges["reasons"] == "L6:L10"


@feature("POLICY: protection and ignored errors cover new row")
def ranges_policy(pair: Pair) -> None:
    root = pair.after.tab(pair.tab).root
    assert "A5:H25" in {one.get("sqref") for one in all_named(root, "protectedRange")}
    assert "B5:B25" in {one.get("sqref") for one in all_named(root, "ignoredError")}


@feature("sheet's elements in the order Excel asks for")
def element_order(pair: Pair) -> None:
    for name in (pair.tab, SUMMARY, OVERVIEW):
        before = [local(e) for e in pair.before.tab(name).root.iterchildren("*")]
        after = [local(e) for e in pair.after.tab(name).root.iterchildren("*")]
        assert after == before


@feature("used range of the sheet")
def used_range(pair: Pair) -> None:
    (before,) = all_named(pair.before.tab(pair.tab).root, "dimension")
    (after,) = all_named(pair.after.tab(pair.tab).root, "dimension")
    assert after.get("ref") == moved(before.get("ref", ""))
