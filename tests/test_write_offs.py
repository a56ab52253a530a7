"""A write-off that is sent again without need is found, and one that is right is not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import suppress

import pytest

from billsby_sandbox.company import Company
from canceldesk import clock
from canceldesk.billsby import BillsbyError
from tests.practice import billsby_of
from tests.write_offs import sent_again

START = dt.datetime(2026, 3, 2, 15, 0, tzinfo=dt.UTC)


class Caller:
    """Somebody who calls the practice Billsby about one client's invoice."""

    def __init__(self, company: Company) -> None:
        self.company = company
        self.uid = company.add_customer("Nora", "Field").uid
        self.number = company.add_invoice(self.uid, 4900).number
        self._billsby = billsby_of(company, key="acme_key")

    def write_off(self) -> None:
        with suppress(BillsbyError):
            self._billsby.write_off(self.number)

    def read(self) -> None:
        with suppress(BillsbyError):
            self._billsby.customer_invoices(self.uid)

    def goes_wrong(self, kind: str, path: str = "*/WrittenOff", **how: object) -> None:
        """The next such call."""
        self.company.add_fault(kind, "*", path, times=1, **how)


@pytest.fixture
def caller() -> Iterator[Caller]:
    with clock.frozen(START):
        company = Company.open(":memory:", domain="acme", api_key="acme_key", clock=clock.now)
        yield Caller(company)
        company.close()


@pytest.mark.parametrize("repeat", ["success", "400"])
def test_a_write_off_sent_twice_is_found_whatever_billsby_says_to_it(
    caller: Caller, repeat: str
) -> None:
    caller.company.set_quirk("write_off_repeat", repeat)
    caller.write_off()
    assert not sent_again(caller.company)
    caller.write_off()
    [told] = sent_again(caller.company)
    assert told.startswith(f"{caller.number} was written off by call 1 at 15:00:00, and call 2")


def test_one_whose_answer_was_lost_is_not_to_be_sent_again_unread(caller: Caller) -> None:
    caller.goes_wrong("drop_after")
    caller.write_off()
    clock.advance(dt.timedelta(minutes=2))
    caller.write_off()
    assert len(sent_again(caller.company)) == 1


def test_one_that_was_read_back_is_not_to_be_sent_again(caller: Caller) -> None:
    caller.goes_wrong("drop_after")
    caller.write_off()
    caller.read()
    caller.write_off()
    caller.write_off()
    assert len(sent_again(caller.company)) == 2


@pytest.mark.parametrize(
    ("kind", "how"), [("drop_before", {}), ("timeout", {"seconds": 0}), ("status", {"status": 500})]
)
def test_one_that_did_nothing_may_be_sent_again(
    caller: Caller, kind: str, how: dict[str, object]
) -> None:
    caller.goes_wrong(kind, "*/WrittenOff", **how)
    caller.write_off()
    caller.write_off()
    assert caller.company.invoice(caller.number).status == "WrittenOff"
    assert not sent_again(caller.company)


def test_one_that_was_refused_unheard_may_be_sent_again(caller: Caller) -> None:
    caller.company.set_quirk("write_off_pending_allowed", "no")
    caller.number = caller.company.add_invoice(caller.uid, 4900, "Pending").number
    caller.goes_wrong("drop_after")
    caller.write_off()
    clock.advance(dt.timedelta(minutes=2))
    caller.company.set_quirk("write_off_pending_allowed", "yes")
    caller.write_off()
    assert caller.company.invoice(caller.number).status == "WrittenOff"
    assert not sent_again(caller.company)


@pytest.mark.parametrize("fault", [{"kind": "stale"}, {"kind": "rubbish", "rubbish": "html"}])
def test_whoever_was_told_something_else_meanwhile_may_send_it_again(
    caller: Caller, fault: dict[str, str]
) -> None:
    caller.read()
    caller.write_off()
    caller.goes_wrong(path="*/invoices", **fault)
    caller.read()
    caller.write_off()
    assert not sent_again(caller.company)


def test_whoever_has_heard_the_truth_since_may_not(caller: Caller) -> None:
    caller.read()
    caller.write_off()
    caller.goes_wrong("stale", "*/invoices")
    caller.read()
    caller.read()
    caller.write_off()
    assert len(sent_again(caller.company)) == 1


def test_whoever_has_read_it_back_is_not_to_be_misled_any_more(caller: Caller) -> None:
    caller.read()
    caller.write_off()
    caller.read()
    caller.goes_wrong("rubbish", "*/invoices", rubbish="html")
    caller.read()
    caller.write_off()
    assert len(sent_again(caller.company)) == 1


def test_a_persons_write_off_in_the_panel_is_no_call(caller: Caller) -> None:
    caller.company.panel_write_off(caller.number)
    caller.write_off()
    assert not sent_again(caller.company)
