"""Requests, rows and people's edits: each kind of wrong is planted in a clean run and found."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable

import pytest

from tests.chaos.planting import COLUMNS, Planted, copied, row_of

pytestmark = pytest.mark.xdist_group("oracle")

NORA, LENA = "Nora Field", "Lena Marsh"


def rules_of(run: Planted) -> set[str]:
    return {violation.rule for violation in run.violations()}


# requests


def _a_form_whose_case_is_gone(run: Planted) -> None:
    client = run.record("subscription", "uid", run.subscription("Dale", 2))["customer_uid"]
    facts = {"client": client, "subscriptions": [run.subscription("Dale", 2)], "token": "lost"}
    run.note("agent", "filed", **facts, status=302, case="C-00099")


def _a_second_case_of_one_form(run: Planted) -> None:
    first, last = run.case("Stone"), "(SELECT MAX(at) FROM cases_logentry)"
    for case in run.desk("SELECT * FROM cases_case WHERE id = ?", first):
        run.twin("cases_case", case, id=99, form_token=None)
    for table in ("cases_casesubscription", "cases_logentry"):
        for row in run.desk(f"SELECT * FROM {table} WHERE case_id = ? ORDER BY id", first):  # noqa: S608
            run.twin(table, row, case_id=99)
    run.desk(f"UPDATE cases_logentry SET at = {last} WHERE case_id = 99")  # noqa: S608


def _somebody_shown_another_case(run: Planted) -> None:
    facts = run.desk("SELECT * FROM cases_case WHERE id = ?", run.case("Field"))[0]
    client = run.record("subscription", "uid", run.subscription("Field"))["customer_uid"]
    scope = [run.subscription("Field")]
    form = {"client": client, "subscriptions": scope, "token": facts["form_token"]}
    run.note("agent", "filed", **form, status=302, case=run.number("Reed"))


def _a_case_nobody_filed(run: Planted) -> None:
    number = run.number("Hart")
    run.forget(lambda entry: entry["what"] == "filed" and entry["case"] == number)


def _a_case_about_anothers_subscription(run: Planted) -> None:
    run.desk(
        "UPDATE cases_casesubscription SET subscription_id = "
        "(SELECT id FROM clients_subscription WHERE billsby_id = ?) WHERE case_id = ?",
        run.subscription("Dale", 2),
        run.case("Lane"),
    )


def _two_open_cases_about_one_subscription(run: Planted) -> None:
    run.desk("DROP INDEX one_open_case_each")
    run.desk(
        "INSERT INTO cases_casesubscription (is_open, case_id, subscription_id) "
        "SELECT 1, ?, subscription_id FROM cases_casesubscription WHERE case_id = ?",
        run.case("Lane"),
        run.case("Marsh"),
    )


def _a_forged_webhook_taken(run: Planted) -> None:
    run.note("post", "webhook", kind="forged", status=200)


@pytest.mark.parametrize(
    ("plant", "rules"),
    [
        (_a_form_whose_case_is_gone, {"request_lost"}),
        (_a_second_case_of_one_form, {"request_doubled"}),
        (_somebody_shown_another_case, {"request_elsewhere"}),
        (_a_case_nobody_filed, {"case_from_nowhere"}),
        (
            _a_case_about_anothers_subscription,
            {"request_lost", "case_from_nowhere", "subscription_of_another"},
        ),
        (
            _two_open_cases_about_one_subscription,
            {"request_lost", "case_from_nowhere", "two_open_cases", "subscription_of_another"},
        ),
        (_a_forged_webhook_taken, {"forged_webhook_taken"}),
    ],
)
def test_a_request_that_is_lost_or_doubled_is_found(
    planted: Planted, plant: Callable[[Planted], None], rules: set[str]
) -> None:
    plant(planted)
    assert rules_of(planted) == rules


def test_a_form_that_nobody_knows_the_end_of_need_not_have_a_case(planted: Planted) -> None:
    subscription = planted.subscription("Dale", 2)
    client = planted.record("subscription", "uid", subscription)["customer_uid"]
    facts = {"client": client, "subscriptions": [subscription], "token": "cut"}
    planted.note("agent", "filed", **facts, status=0, case="")
    planted.note("agent", "filed", **facts, status=422, case="")
    assert rules_of(planted) == set()


def test_a_forged_webhook_turned_away_is_fine(planted: Planted) -> None:
    planted.note("post", "webhook", kind="forged", status=404)
    planted.note("post", "webhook", kind="genuine", status=200)
    planted.note("post", "webhook", kind="forged", secret_ok=True, status=200)
    assert rules_of(planted) == set()


# rows


@pytest.mark.parametrize(
    ("column", "value", "word"),
    [
        ("name", "Nora Fields", "name"),
        ("phone", "(202) 555-0199", "phone"),
        ("date", dt.datetime(2026, 3, 3), "date"),  # noqa: DTZ001
        ("total", 396, "total"),
        ("months", 6, "months"),
        ("reason", "Too expensive", "reason"),
    ],
)
def test_a_row_with_one_wrong_value_is_found(
    planted: Planted, column: str, value: object, word: str
) -> None:
    with planted.listed() as sheet:
        sheet.cell(row_of(sheet, NORA), COLUMNS[column]).value = value  # type: ignore[assignment]
    found = planted.violations()
    assert [violation.rule for violation in found] == ["wrong_row"]
    assert f"has a wrong {word}." in found[0].sentence


def _no_row(run: Planted) -> None:
    with run.listed() as sheet:
        sheet.delete_rows(row_of(sheet, NORA))


def _a_second_row(run: Planted) -> None:
    with run.listed() as sheet:
        copied(sheet, row_of(sheet, NORA), 3)


def _a_second_row_without_a_number(run: Planted) -> None:
    with run.listed() as sheet:
        copied(sheet, row_of(sheet, NORA), 3)
        sheet.cell(3, COLUMNS["case"]).value = None


def _a_second_row_of_a_closing_case(run: Planted) -> None:
    with run.listed() as sheet:
        copied(sheet, row_of(sheet, LENA), 3)


def _a_row_of_a_retained_client(run: Planted) -> None:
    with run.listed() as sheet:
        copied(sheet, row_of(sheet, NORA), 3)
        sheet.cell(3, COLUMNS["name"]).value = "Ida Stone"
        sheet.cell(3, COLUMNS["case"]).value = run.number("Stone")


def _a_row_of_nobody(run: Planted) -> None:
    with run.listed() as sheet:
        copied(sheet, row_of(sheet, NORA), 3)
        sheet.cell(3, COLUMNS["name"]).value = "Not Anybody"
        sheet.cell(3, COLUMNS["case"]).value = None


def _a_row_at_the_bottom(run: Planted) -> None:
    with run.listed() as sheet:
        row = row_of(sheet, NORA)
        copied(sheet, row, sheet.max_row + 1)
        sheet.delete_rows(row)


def _a_row_that_was_taken_off(run: Planted) -> None:
    with run.listed() as sheet:
        copied(sheet, row_of(sheet, "Igor Wells"), 3)
        for column, value in (("name", "Elsa Grove"), ("phone", "(202) 555-0110")):
            sheet.cell(3, COLUMNS[column]).value = value
        sheet.cell(3, COLUMNS["case"]).value = run.number("Grove")


@pytest.mark.parametrize(
    ("plant", "rules"),
    [
        (_no_row, {"no_row"}),
        (_a_second_row, {"row_twice"}),
        (_a_second_row_without_a_number, {"row_twice"}),
        (_a_second_row_of_a_closing_case, {"row_twice"}),
        (_a_row_of_a_retained_client, {"row_without_decision", "row_not_told"}),
        (_a_row_of_nobody, {"row_of_nobody"}),
        (_a_row_at_the_bottom, {"row_not_on_top"}),
        (_a_row_that_was_taken_off, {"row_taken_off_is_there"}),
    ],
)
def test_a_list_that_says_too_much_or_too_little_is_found(
    planted: Planted, plant: Callable[[Planted], None], rules: set[str]
) -> None:
    plant(planted)
    assert rules_of(planted) == rules


def test_rows_are_told_by_their_values_where_the_list_has_no_case_numbers(
    planted: Planted,
) -> None:
    with planted.listed() as sheet:
        sheet.delete_cols(COLUMNS["case"])
    start = planted.folder / "workbook-at-start.xlsx"
    (planted.folder / "now.xlsx").write_bytes((planted.folder / "list.xlsx").read_bytes())
    (planted.folder / "list.xlsx").write_bytes(start.read_bytes())
    with planted.listed() as sheet:
        sheet.delete_cols(COLUMNS["case"])
    start.write_bytes((planted.folder / "list.xlsx").read_bytes())
    (planted.folder / "list.xlsx").write_bytes((planted.folder / "now.xlsx").read_bytes())
    assert rules_of(planted) == set()
    with planted.listed() as sheet:
        copied(sheet, row_of(sheet, NORA), 3)
    assert rules_of(planted) == {"row_twice"}
    with planted.listed() as sheet:
        sheet.delete_rows(3)
        sheet.cell(row_of(sheet, NORA), COLUMNS["months"]).value = 7
    assert rules_of(planted) == {"wrong_row"}


def test_a_row_that_a_person_spoiled_is_not_held_against_the_desk(planted: Planted) -> None:
    with planted.listed() as sheet:
        sheet.cell(row_of(sheet, NORA), COLUMNS["months"]).value = 7
    planted.note("bookkeeper", "row_changed", case=planted.number("Field"))
    assert rules_of(planted) == set()
    planted.note("bookkeeper", "row_put_right", case=planted.number("Field"))
    assert rules_of(planted) == {"wrong_row"}


def test_the_right_total_is_that_of_when_the_facts_were_taken(planted: Planted) -> None:
    """Ruth paid another invoice after her case had closed."""
    assert planted.billsby("SELECT 1 FROM invoice WHERE status = 'PaidOffline' AND amount = 7700")
    with planted.listed() as sheet:
        cell = sheet.cell(row_of(sheet, "Ruth Dale"), COLUMNS["total"])
        cell.value = cell.value + 77  # type: ignore[operator]
    assert rules_of(planted) == {"wrong_row"}


def test_the_date_is_that_of_the_last_decision_in_the_companys_time_zone(
    planted: Planted,
) -> None:
    """Two in the morning in UTC is the evening before in New York."""
    decided = planted.entry("Frost", "case.decided")
    shifted = "2026-03-04 02:00:00"
    later = (
        "UPDATE cases_logentry SET at = datetime(?, printf('+%d seconds', id - ?)) WHERE id >= ?"
    )
    planted.desk(later, shifted, decided["id"], decided["id"])
    planted.without_copies()
    assert "wrong_row" not in rules_of(planted)
    planted.desk(later, "2026-03-04 06:00:00", decided["id"], decided["id"])
    assert "wrong_row" in rules_of(planted)


@pytest.mark.parametrize(
    ("dial_code", "number", "shown", "rules"),
    [
        ("1", "12025550100", "(202) 555-0100", set()),
        ("", "+1 202 555 0100", "(202) 555-0100", set()),
        ("44", "2079460123", "+44 20 7946 0123", set()),
        ("44", "2079460123", "20 7946 0123", {"wrong_row"}),
        ("1", "5550100", "5550100", set()),
        ("1", "5550100", "5550109", {"wrong_row"}),
        ("1", "", None, set()),
        ("1", "", "(202) 555-0100", {"wrong_row"}),
    ],
)
def test_phones_are_told_by_their_digits(
    planted: Planted, dial_code: str, number: str, shown: str | None, rules: set[str]
) -> None:
    uid = planted.record("subscription", "uid", planted.subscription("Field"))["customer_uid"]
    known = planted.event("customer created", uid)["after"]
    known |= {"dial_code": dial_code, "phone_number": number}
    planted.billsby('UPDATE history SET "after" = ? WHERE subject = ?', json.dumps(known), uid)
    with planted.listed() as sheet:
        sheet.cell(row_of(sheet, NORA), COLUMNS["phone"]).value = shown
    assert rules_of(planted) == rules


# what people have in the workbook


def _a_lost_note(run: Planted) -> None:
    with run.workbook() as book:
        book["Notes"]["A5"] = None


def _a_lost_comment(run: Planted) -> None:
    with run.listed() as sheet:
        for row in sheet.iter_rows():
            for cell in row:
                cell.comment = None


def _a_lost_row_of_a_persons_own(run: Planted) -> None:
    with run.listed() as sheet:
        sheet.delete_rows(row_of(sheet, "Walked In"))


def _a_lost_colour(run: Planted) -> None:
    run.note("bookkeeper", "edited", kind="colour", mark="FF010002", sheet="Notes", cell="A1")


def _a_lost_row_of_the_start(run: Planted) -> None:
    with run.listed() as sheet:
        sheet.delete_rows(row_of(sheet, "Former Client 3"))


def _a_changed_row_of_the_start(run: Planted) -> None:
    with run.listed() as sheet:
        sheet.cell(row_of(sheet, "Former Client 3"), COLUMNS["months"]).value = 4


def _moved_rows_of_the_start(run: Planted) -> None:
    with run.listed() as sheet:
        row = row_of(sheet, "Former Client 5")
        copied(sheet, row, row_of(sheet, "Former Client 0"))
        sheet.delete_rows(row + 1)


def _a_changed_word_beside_a_row(run: Planted) -> None:
    with run.listed() as sheet:
        sheet.cell(row_of(sheet, "Former Client 3"), 8).value = "known to nobody"


def _a_changed_word_on_another_tab(run: Planted) -> None:
    with run.workbook() as book:
        book["Notes"]["A1"] = "Ask nobody."


@pytest.mark.parametrize(
    ("plant", "rules"),
    [
        (_a_lost_note, {"edit_lost"}),
        (_a_lost_comment, {"edit_lost"}),
        (_a_lost_row_of_a_persons_own, {"edit_lost"}),
        (_a_lost_colour, {"edit_lost"}),
        (_a_lost_row_of_the_start, {"old_row_lost"}),
        (_a_changed_row_of_the_start, {"old_row_lost", "row_of_nobody"}),
        (_moved_rows_of_the_start, {"old_rows_moved"}),
        (_a_changed_word_beside_a_row, {"old_row_changed"}),
        (_a_changed_word_on_another_tab, {"other_tab_changed"}),
    ],
)
def test_what_people_had_in_the_workbook_and_is_gone_is_found(
    planted: Planted, plant: Callable[[Planted], None], rules: set[str]
) -> None:
    plant(planted)
    assert rules_of(planted) == rules


def test_what_people_took_out_or_edited_themselves_is_fine(planted: Planted) -> None:
    with planted.workbook() as book:
        book["Notes"]["A5"] = None
        book["Notes"]["A1"] = "Ask Pat. note-2"
        sheet = book["Cancellations"]
        sheet.cell(row_of(sheet, "Former Client 3"), 8).value = "known to Pat 3 note-3"
    planted.note("bookkeeper", "unedited", mark="note-1")
    for mark, tab, cell in (("note-2", "Notes", "A1"), ("note-3", "Cancellations", "H9")):
        planted.note("bookkeeper", "edited", kind="cell", mark=mark, sheet=tab, cell=cell)
    assert rules_of(planted) == set()
