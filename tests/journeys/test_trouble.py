"""When the outside does not play along."""

from __future__ import annotations

import shutil

import openpyxl
from playwright.sync_api import expect

from billsby_sandbox import seed
from tests.journeys import people
from tests.journeys.stack import Desk


def test_a_workbook_open_on_a_screen_is_waited_for_and_named(desk: Desk) -> None:
    owner = desk.workbook.with_name(f".~lock.{desk.workbook.name}#")
    owner.write_text(",Pat Carver,office,23.11.2026 09:00,file:///;", encoding="utf-8")
    try:
        manager = desk.page("manager")
        people.file_request(manager, "petra novotny")
        people.decide(manager, "Suspend")
        expect(people.part(manager, "Closing")).to_contain_text("Pat Carver", timeout=people.SOON)
        people.suspend_in_panel(desk, seed.SUBSCRIPTION_OF[seed.CLEAN[2]])
        people.expect_step(manager, "Service stopped", "Done")
        people.expect_state(manager, "Closing")
        assert not people.rows_of(desk, "Petra Novotny")
    finally:
        owner.unlink()
    manager.get_by_role("button", name="Try again now").click()
    people.expect_state(manager, "Closed")
    assert len(people.rows_of(desk, "Petra Novotny")) == 1


def test_a_missing_column_is_named_and_nothing_is_written(desk: Desk) -> None:
    good = desk.folder / "good.xlsx"
    shutil.copy(desk.workbook, good)
    book = openpyxl.load_workbook(desk.workbook)
    sheet = book["cancellation"]
    for row in sheet.iter_rows(max_row=6):
        for cell in row:
            if str(cell.value).strip().casefold().startswith("phone"):
                cell.value = "Colour"
    book.save(desk.workbook)
    spoiled = desk.workbook.read_bytes()
    try:
        manager = desk.page("manager")
        people.file_request(manager, "silas greenway")
        people.decide(manager, "Suspend")
        glance = manager.get_by_role("region", name="At a glance")
        expect(glance).to_contain_text("phone", timeout=people.SOON)
        expect(glance).to_contain_text("Colour")
        assert desk.workbook.read_bytes() == spoiled
    finally:
        shutil.copy(good, desk.workbook)
    manager.get_by_role("button", name="Try again now").click()
    people.expect_step(manager, "On the list", "Done")
    people.suspend_in_panel(desk, seed.SUBSCRIPTION_OF[seed.CLEAN[3]])
    people.expect_state(manager, "Closed")


def test_billsby_down_for_a_while_loses_no_request(desk: Desk) -> None:
    manager = desk.page("manager")
    desk.stop_billsby()
    people.file_request(manager, "tessa abernathy")
    people.decide(manager, "Suspend")
    glance = manager.get_by_role("region", name="At a glance")
    expect(glance).to_contain_text("tries again by itself", timeout=people.SOON)
    people.expect_state(manager, "Closing")
    desk.start_billsby()
    people.expect_step(manager, "On the list", "Done", within=60_000)
    people.suspend_in_panel(desk, seed.SUBSCRIPTION_OF[seed.CLEAN[4]])
    people.expect_state(manager, "Closed")
    assert len(people.rows_of(desk, "Tessa Abernathy")) == 1


def test_a_desk_that_is_killed_goes_on_where_it_was(desk: Desk) -> None:
    manager = desk.page("manager")
    address = people.file_request(manager, "leon vasquez")
    people.decide(manager, "Suspend")
    desk.kill_desk()
    desk.practice.suspend(seed.SUBSCRIPTION_OF[seed.CLEAN[5]])
    desk.start_desk()
    again = desk.page("manager")
    again.goto(address)
    people.expect_state(again, "Closed", within=90_000)
    assert len(people.rows_of(desk, "Leon Vasquez")) == 1
    holds = people.writes(desk, f"{seed.SUBSCRIPTION_OF[seed.CLEAN[5]]}/renewaldate")
    assert len(holds) <= 2


def test_where_a_paused_service_cannot_be_suspended_one_click_helps(desk: Desk) -> None:
    desk.practice.quirk(suspend_offered_while_paused="no")
    try:
        manager = desk.page("manager")
        people.file_request(manager, "wilma oduya")
        people.decide(manager, "Suspend")
        people.expect_step(manager, "Service stopped", "Waiting")
        subscription = seed.SUBSCRIPTION_OF[seed.CLEAN[6]]
        manager.get_by_role("button", name="Billsby does not offer Suspended").click()
        expect(people.part(manager, "Log")).to_contain_text("lifted the pause", timeout=people.SOON)
        assert people.status_at_billsby(desk, subscription) == "Active"
        people.suspend_in_panel(desk, subscription)
        people.expect_state(manager, "Closed")
    finally:
        desk.practice.quirk(suspend_offered_while_paused="yes")
