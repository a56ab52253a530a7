"""The practice company as the demo knows it, in memory."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from billsby_sandbox import seed
from billsby_sandbox.company import Company
from canceldesk import clock, outside
from canceldesk.billsby.client import HttpBillsby
from tests.fakes import FakeList
from tests.practice import billsby_of

START = dt.datetime(2026, 11, 23, 15, 0, tzinfo=dt.UTC)
KEY = "brightpath_practice"


@dataclass
class Town:
    """The seeded company, the client that speaks with it, and an empty list."""

    company: Company
    billsby: HttpBillsby
    the_list: FakeList


@pytest.fixture
def town(db: None) -> Iterator[Town]:
    with clock.frozen(START):
        company = Company.open(":memory:", domain="brightpath", api_key=KEY, clock=clock.now)
        seed.fill(company)
        billsby = billsby_of(company, key=KEY, domain="brightpath")
        the_list = FakeList()
        with outside.using(billsby=billsby, the_list=the_list):
            yield Town(company, billsby, the_list)
        company.close()
