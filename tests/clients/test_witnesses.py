"""Who is said to be unknown may be so because it is not the company's Billsby that answers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from billsby_sandbox.company import Company
from canceldesk import clock
from canceldesk.billsby import Customer, Nonsense, NotAuthorised
from canceldesk.billsby.client import HttpBillsby
from canceldesk.clients import refreshing, witnesses
from canceldesk.clients.models import Client
from tests.clients.conftest import KEY, Practice
from tests.factories import make_client
from tests.practice import billsby_of


@pytest.fixture
def mistyped(practice: Practice) -> HttpBillsby:
    """The right Billsby under a company domain that nobody has."""
    return billsby_of(practice.company, key=KEY, domain="acne")


@pytest.fixture
def another_companys(practice: Practice) -> Iterator[HttpBillsby]:
    """A Billsby that answers, with clients of its own."""
    company = Company.open(":memory:", domain="other", api_key="other_key", clock=clock.now)
    for name in ("Ada", "Ben", "Cid", "Dot", "Eli", "Fay"):
        company.add_subscription(company.add_customer(name, "Stranger").uid)
    yield billsby_of(company, key="other_key", domain="other")
    company.close()


def known(practice: Practice, count: int) -> list[Client]:
    """So many clients whom both Billsby and the desk know."""
    customers = [practice.company.add_customer(f"Anna {n}", "Berg") for n in range(count)]
    return [make_client(customer.first_name, billsby_id=customer.uid) for customer in customers]


def test_one_other_client_whom_billsby_finds_is_enough(practice: Practice) -> None:
    known(practice, 1)
    witnesses.check_another(practice.billsby, "CUSGONE")


def test_others_may_have_been_deleted_meanwhile(practice: Practice) -> None:
    for number in range(witnesses.MOST_ASKED - 1):
        make_client(billsby_id=f"CUSDELETED{number}")
    known(practice, 1)
    witnesses.check_another(practice.billsby, "CUSGONE")
    asked = [call for call in practice.company.calls() if "/customers/" in call.path]
    assert len(asked) == witnesses.MOST_ASKED


def test_the_client_in_question_is_no_witness(practice: Practice) -> None:
    (anna,) = known(practice, 1)
    with pytest.raises(Nonsense):
        witnesses.check_another(practice.billsby, anna.billsby_id)
    assert not practice.company.calls()


def test_who_was_gone_long_ago_is_not_asked_about(practice: Practice) -> None:
    make_client(billsby_id="CUSLONGGONE", gone_at=clock.now())
    with pytest.raises(Nonsense):
        witnesses.check_another(practice.billsby, "CUSGONE")
    assert not practice.company.calls()


@pytest.mark.parametrize("whose", ["mistyped", "another_companys"])
def test_a_billsby_that_finds_nobody_is_not_believed(
    practice: Practice, whose: str, request: pytest.FixtureRequest
) -> None:
    known(practice, 2)
    with pytest.raises(Nonsense, match="neither CUSGONE nor any other client") as refused:
        witnesses.check_another(request.getfixturevalue(whose), "CUSGONE")
    assert "check the company domain and the API key in the settings" in str(refused.value)


def test_trouble_with_billsby_is_told_as_that(practice: Practice) -> None:
    known(practice, 1)
    with pytest.raises(NotAuthorised):
        witnesses.check_another(billsby_of(practice.company, key="wrong"), "CUSGONE")


def listed(*billsby_ids: str) -> list[Customer]:
    return [Customer(billsby_id=billsby_id) for billsby_id in billsby_ids]


def test_all_who_are_listed_come_in_order_when_one_of_them_is_known() -> None:
    everybody = listed("NEW1", "NEW2", "C3", "NEW4")
    among = {f"C{n}" for n in range(witnesses.FEW)}
    assert list(witnesses.of_this_company(everybody, among)) == everybody


def test_of_strangers_alone_none_comes() -> None:
    coming = witnesses.of_this_company(
        listed("NEW1", "NEW2"), {f"C{n}" for n in range(witnesses.FEW)}
    )
    with pytest.raises(Nonsense, match=f"none of the {witnesses.FEW} clients"):
        next(coming)


@pytest.mark.parametrize("count", range(witnesses.FEW))
def test_a_desk_that_knows_only_a_few_takes_strangers(count: int) -> None:
    everybody = listed("NEW1", "NEW2")
    among = {f"C{n}" for n in range(count)}
    assert list(witnesses.of_this_company(everybody, among)) == everybody


def test_a_refresh_with_another_companys_key_leaves_the_copy_as_it_is(
    practice: Practice, another_companys: HttpBillsby
) -> None:
    known(practice, witnesses.FEW)
    assert not refreshing.refresh_all(practice.billsby).problem
    before = set(Client.objects.values_list("billsby_id", "gone_at"))
    for _ in range(2):
        run = refreshing.refresh_all(another_companys)
        assert "another company" in run.problem
    assert set(Client.objects.values_list("billsby_id", "gone_at")) == before
