"""What clients read."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canceldesk.messages.words import Text, confirmation

ON = dt.date(2026, 3, 2)


def confirmed(*, plan: str = "Gold plan", is_final: bool = False, on: dt.date = ON) -> Text:
    how = {"cancelled": [plan]} if is_final else {"suspended": [plan]}
    return confirmation(name="Nora", company="Acme", on=on, **how)


def test_a_suspension_is_confirmed_in_plain_words() -> None:
    assert confirmed() == Text(
        subject="Your Gold plan has been suspended",
        body=(
            "Hello Nora,\n\n"
            "as you asked, your Gold plan with Acme has been suspended as of 2 March 2026. "
            "You will not be charged for it again.\n\n"
            "If you see a charge for it after this date, please tell us and we will put it "
            "right.\n\n"
            "Acme\n"
        ),
    )


def test_a_cancellation_is_called_one() -> None:
    text = confirmed(is_final=True)
    assert text.subject == "Your Gold plan has been cancelled"
    assert "has been cancelled as of 2 March 2026" in text.body
    assert "suspended" not in text.body


def test_a_plan_without_a_name_is_a_service() -> None:
    text = confirmed(plan="")
    assert text.subject == "Your service has been suspended"
    assert "your service with Acme" in text.body


def told(**how: list[str]) -> Text:
    return confirmation(name="Nora", company="Acme", on=ON, **how)


def test_of_several_services_each_is_told_by_what_became_of_it() -> None:
    text = told(suspended=["Gold plan"], cancelled=["Silver plan"])
    assert text.subject == (
        "Your Gold plan has been suspended and your Silver plan has been cancelled"
    )
    assert (
        "your Gold plan with Acme has been suspended and your Silver plan with Acme has been "
        "cancelled as of 2 March 2026. You will not be charged for them again."
    ) in text.body
    assert "If you see a charge for them after this date" in text.body


@pytest.mark.parametrize(
    ("plans", "said"),
    [
        (["Gold", "Silver"], "Your Gold and Silver have been suspended"),
        (["Gold", "Silver", "Bronze"], "Your Gold, Silver and Bronze have been suspended"),
        (["Gold", "Gold"], "Your Gold has been suspended"),
        (["Gold", ""], "Your Gold and service have been suspended"),
    ],
)
def test_several_services_that_were_stopped_alike_are_told_together(
    plans: list[str], said: str
) -> None:
    assert told(suspended=plans).subject == said


@pytest.mark.parametrize(
    ("on", "words"),
    [(dt.date(2026, 12, 31), "31 December 2026"), (dt.date(2028, 2, 29), "29 February 2028")],
)
def test_dates_are_written_out(on: dt.date, words: str) -> None:
    assert f"as of {words}." in confirmed(on=on).body


@given(on=st.dates(), is_final=st.booleans(), plan=st.text())
def test_every_confirmation_says_that_no_charge_follows(
    on: dt.date, is_final: bool, plan: str
) -> None:
    text = confirmed(on=on, is_final=is_final, plan=plan)
    assert "You will not be charged for it again." in text.body
    assert str(on.year) in text.body
