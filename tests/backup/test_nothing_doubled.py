"""Restoring yesterday's backup after a day of work doubles nothing: what is there is adopted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.backup.telling import told

pytestmark = pytest.mark.database


@pytest.mark.parametrize("decided", ["before", "after"])
@pytest.mark.parametrize("with_reference", [True, False])
def test_a_case_closed_since_is_closed_again_on_the_same_row_and_the_same_write_offs(
    tmp_path: Path, *, decided: str, with_reference: bool
) -> None:
    came = told(
        tmp_path, "closed_today", with_reference=with_reference, decided=decided, days_later=0
    )

    assert came["closed_first"] == "closed"
    assert came["restored"] == {"before": "closing", "after": "new"}[decided]
    assert (came["state"], came["former"]) == ("closed", "closed")
    assert came["rows_are_the_first"]
    assert [row["name"] for row in came["rows"]] == ["Nora Field", "Former Field"]
    assert (len(came["written_off"]), came["write_off_calls"]) == (2, 2)
    assert came["collected"] == 9900
    assert came["log"] == [
        "was put back to the backup of 2026-03-02 15:16 UTC: what was done after it is not in this "
        "log. New cases are numbered from C-01003"
    ]


def test_a_decision_that_the_backup_knows_keeps_its_day(tmp_path: Path) -> None:
    came = told(tmp_path, "closed_today", with_reference=False, decided="before", days_later=3)

    assert came["state"] == "closed"
    assert came["rows_are_the_first"]


@pytest.mark.parametrize(
    ("with_reference", "whose"), [(True, "this case's"), (False, "about this client")]
)
def test_a_decision_made_again_on_a_later_day_leaves_one_row_and_says_what_to_do(
    tmp_path: Path, *, with_reference: bool, whose: str
) -> None:
    came = told(
        tmp_path, "closed_today", with_reference=with_reference, decided="after", days_later=1
    )

    assert [row["name"] for row in came["rows"]] == ["Nora Field", "Former Field"]
    assert came["state"] == "closing"
    assert f'Row 2 of the tab "Cancellations" is {whose}, but its date' in came["waits"]
    assert "in the workbook; the desk goes on by itself." in came["waits"]


def test_a_number_that_a_forgotten_case_had_is_never_given_out_again(tmp_path: Path) -> None:
    came = told(tmp_path, "filed_today")

    assert (came["before"], came["lost"], came["new"]) == ("C-00001", "C-00002", "C-01003")
    assert came["announced"] == came["new_pk"]
    assert came["rows"][1:] == came["rows_before"]
    assert came["rows"][0] == {
        "name": "Another Field",
        "date": "2026-03-02",
        "reference": "C-01003",
    }


def test_on_a_new_machine_the_list_tells_how_far_the_numbers_went(tmp_path: Path) -> None:
    came = told(tmp_path, "filed_today_and_replaced_database_gone", highest=7777)

    assert came == {"next": 8778, "new": 8778}


@pytest.mark.parametrize("days", [0, 6])
def test_a_hold_placed_since_is_taken_over_and_given_back_to_a_client_who_stays(
    tmp_path: Path, days: int
) -> None:
    came = told(tmp_path, "held_today", then="retained", days=days)

    assert came["holds_first"] == 1
    assert came["was_moved"]
    assert (came["adopted"], came["problem"], came["state"]) == (1, "", "retained")
    # A period that passed while the client was held is not charged afterwards.
    assert came["next_charge"] == {0: came["original"], 6: "2026-04-04"}[days]


def test_a_hold_renewed_since_is_taken_over_with_the_date_it_replaced_long_ago(
    tmp_path: Path,
) -> None:
    came = told(tmp_path, "renewed_today")

    assert came["was_renewed"]
    assert (came["adopted"], came["state"]) == (1, "retained")
    assert came["same_day"]
    assert 0 <= came["charged_in_days"] <= 31
    assert len(came["log"]) == 1


def test_the_charge_a_taken_over_hold_replaced_is_the_one_in_the_facts(tmp_path: Path) -> None:
    came = told(tmp_path, "held_today", then="suspend", days=0)

    assert (came["adopted"], came["state"]) == (1, "closed")
    assert came["facts"] == [came["original"]]
    assert came["log"][0].startswith("held ")


def test_nobody_stays_signed_in_no_client_is_told_twice_and_all_is_due_at_once(
    tmp_path: Path,
) -> None:
    came = told(tmp_path, "signed_in_and_told")

    assert came["sessions"] == 0
    assert (came["woken"], came["due"]) == (1, "2026-03-02 15:00:00+00:00")
    # A worker that slept through the restore finds its lease fenced off.
    assert (came["lease"], came["token"] >= 1_000_000) == ("", True)
    assert (came["state"], came["tries"]) == ("closed", 5)
    assert "not known whether the client has been told" in came["why"]
    assert came["decision_stands"] == ""


def test_a_backup_can_be_restored_twice_and_the_restore_undone(tmp_path: Path) -> None:
    came = told(tmp_path, "twice")

    assert came["files_differ"]
    assert (came["cases_after_second"], came["cases_after_undoing"]) == (1, 2)
    assert came["numbers"] == sorted(set(came["numbers"]))
    assert came["states"] == ["closed", "closed"]
    assert came["rows"] == 2


def test_a_client_held_for_a_forgotten_case_is_found_by_the_comparison(tmp_path: Path) -> None:
    came = told(tmp_path, "held_for_nobody")

    assert came["wrong"] == 1
    assert "no case says why" in came["said"][0]


@pytest.mark.parametrize("has_row", [True, False])
def test_a_decision_to_cancel_that_was_taken_back_since_is_made_again_by_a_manager_alone(
    tmp_path: Path, *, has_row: bool
) -> None:
    came = told(tmp_path, "cancelling_taken_back_today", has_row=has_row)

    assert came["stayed"] == ["retained", []]
    assert came["to_decide"] == ["C-00001"]
    assert (came["state"], came["rows"], came["cancelled"]) == ("retention", [], [])
    assert came["attention"].endswith("A manager must decide again.")
    assert "may have been taken back after it" in came["log"][0]
    assert came["then"] == ["retained", ""]


@pytest.mark.parametrize(
    ("billsby", "restored"), [("no", "closed"), ("refuse", "retention"), ("503", "retention")]
)
def test_what_was_cancelled_since_is_found_cancelled_and_never_cancelled_again(
    tmp_path: Path, billsby: str, restored: str
) -> None:
    came = told(tmp_path, "cancelled_today", billsby=billsby)

    assert came["closed_first"] == "closed"
    assert came["to_decide"] == ([] if restored == "closed" else ["C-00001"])
    assert (came["restored"], came["state"]) == (restored, "closed")
    assert came["rows_are_the_first"]
    assert came["rows"] == 1
    assert (len(came["cancelled"]), came["cancel_calls"]) == (1, 1)
    assert (len(came["written_off"]), came["write_off_calls"]) == (1, 1)


def test_an_approval_that_may_have_been_taken_back_since_is_asked_for_again(tmp_path: Path) -> None:
    came = told(tmp_path, "approved_before")

    assert (came["forgotten"], came["state"], came["written_off"]) == (1, "closing", [])
    assert "must approve" in came["waits"]
    assert came["log"][0].startswith("asks for the approval of writing off ")
    assert came["then"] == "closed"
