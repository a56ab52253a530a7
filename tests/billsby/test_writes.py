"""Writes say exactly what was meant, once, and believe only a clear success."""

from datetime import date

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from canceldesk.billsby import Blocked, Nonsense, PlanChange, Refused

from .helpers import Script, client, says, sent

SUCCESSES = ['"success"', '"Success"', "Success\n", "true", "{}", ""]
WRITES = {
    "set_renewal_date": lambda b: b.set_renewal_date("S1", date(2030, 1, 1), pause=True),
    "write_off": lambda b: b.write_off("C1-3"),
    "cancel_subscription": lambda b: b.cancel_subscription("S1", "C1"),
    "change_plan": lambda b: b.change_plan(
        "S1", "C1", plan_id=1, cycle_id=2, when=PlanChange.IMMEDIATE
    ),
    "refund": lambda b: b.refund("C1", "C1-3", 100),
    "reattempt_payment": lambda b: b.reattempt_payment("C1-3"),
    "mark_paid_offline": lambda b: b.mark_paid_offline("C1-3"),
    "reattempt_credit_note": lambda b: b.reattempt_credit_note("C1-2"),
}
each_write = pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)


def request_of(write):
    script = Script(httpx.Response(200, json="success"))
    write(client(script))
    (request,) = script.asked
    return request


@each_write
@pytest.mark.parametrize("text", SUCCESSES)
def test_a_write_believes_each_of_billsbys_ways_to_say_success(write, text):
    script = Script(httpx.Response(200, text=text))
    write(client(script))
    assert len(script.asked) == 1


@each_write
@pytest.mark.parametrize(
    "text", ["false", '"failed"', '{"message": "later"}', "<html></html>", "[]", "null", "{", "1"]
)
def test_a_write_with_any_other_answer_may_have_been_done(write, text):
    script = Script(httpx.Response(200, text=text))
    with pytest.raises(Nonsense, match="read it back") as caught:
        write(client(script))
    assert caught.value.maybe_done is True
    assert (caught.value.status, caught.value.body) == (200, text)
    assert len(script.asked) == 1


@each_write
def test_a_write_answered_with_bytes_that_are_no_text_may_have_been_done(write):
    with pytest.raises(Nonsense) as caught:
        write(client(Script(httpx.Response(200, content=b"\xff\xfe"))))
    assert caught.value.maybe_done is True


@each_write
def test_a_write_refused_because_of_invoices_is_blocked_with_billsbys_words(write):
    with pytest.raises(Blocked, match="Pending invoices must be written off") as caught:
        write(says('{"message": "Pending invoices must be written off"}', status=400))
    assert caught.value.maybe_done is False
    assert caught.value.body == '{"message": "Pending invoices must be written off"}'


@given(day=st.dates(min_value=date(2000, 1, 1), max_value=date(2999, 12, 31)), pause=st.booleans())
def test_a_renewal_date_is_sent_as_that_day_with_the_pause_said_aloud(day, pause):
    request = request_of(lambda b: b.set_renewal_date("S1", day, pause=pause))
    assert sent(request) == {
        "pauseSubscription": pause,
        "newRenewalDate": f"{day.year:04d}-{day.month:02d}-{day.day:02d}",
    }


def test_a_write_off_has_no_body():
    assert request_of(WRITES["write_off"]).content == b""


def test_a_cancellation_names_the_customer_for_billsby_to_check():
    request = request_of(WRITES["cancel_subscription"])
    assert dict(request.url.params) == {"customerUniqueId": "C1"}
    assert request.content == b""


def test_a_customer_id_in_the_query_cannot_become_another_parameter():
    request = request_of(lambda b: b.cancel_subscription("S1", "C1&customerUniqueId=C2#x"))
    assert dict(request.url.params) == {"customerUniqueId": "C1&customerUniqueId=C2#x"}


def test_a_change_of_plan_sends_nothing_that_was_not_asked_for():
    assert sent(request_of(WRITES["change_plan"])) == {
        "planId": 1,
        "cycleId": 2,
        "customerUniqueId": "C1",
        "planChangeType": 1,
        "issueRefund": False,
    }


def test_a_change_of_plan_sends_units_add_ons_and_allowances_when_asked():
    request = request_of(
        lambda b: b.change_plan(
            "S1",
            "C1",
            plan_id=1,
            cycle_id=2,
            when=PlanChange.ON_RENEWAL,
            units=0,
            add_ons={5: 1, 6: 2},
            allowances=(),
            issue_refund=True,
        )
    )
    assert sent(request) == {
        "planId": 1,
        "cycleId": 2,
        "customerUniqueId": "C1",
        "planChangeType": 2,
        "issueRefund": True,
        "units": 0,
        "addOns": [{"addOnId": 5, "quantity": 1}, {"addOnId": 6, "quantity": 2}],
        "allowances": [],
    }


def test_a_refund_is_sent_in_minor_units():
    assert sent(request_of(WRITES["refund"])) == {"invoiceNumber": "C1-3", "amount": 100}


@pytest.mark.parametrize(
    "text",
    [
        '{"invoiceNumber": "C1-3", "amount": 100}',
        '{"InvoiceNumber": "C1-3", "Amount": "100", "id": 5}',
        '"{\\"invoiceNumber\\": \\"C1-3\\", \\"amount\\": 100}"',
    ],
)
def test_a_refund_believes_a_reply_that_repeats_what_was_asked(text):
    script = Script(httpx.Response(200, text=text, headers={"Content-Type": "text/plain"}))
    WRITES["refund"](client(script))
    assert len(script.asked) == 1


@pytest.mark.parametrize(
    "text",
    [
        '{"invoiceNumber": "C1-3", "amount": 10000}',
        '{"invoiceNumber": "C2-3", "amount": 100}',
        '{"invoiceNumber": "C1-3"}',
        '{"amount": 100}',
    ],
)
def test_a_refund_of_something_else_is_nonsense(text):
    with pytest.raises(Nonsense) as caught:
        WRITES["refund"](says(text))
    assert caught.value.maybe_done is True


@pytest.mark.parametrize("amount", [0, -1])
def test_a_refund_of_nothing_is_refused_and_not_sent(amount):
    script = Script(httpx.Response(200, json="success"))
    with pytest.raises(Refused, match="above zero"):
        client(script).refund("C1", "C1-3", amount)
    assert script.asked == []
