"""A practice Billsby and the client that speaks with it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from billsby_sandbox.company import Company
from canceldesk import clock, outside
from canceldesk.billsby.client import HttpBillsby
from tests.practice import billsby_of

START = dt.datetime(2026, 3, 2, 15, 0, tzinfo=dt.UTC)
KEY = "acme_practice_key"


@dataclass
class Practice:
    """The company at Billsby, and Billsby as the desk sees it."""

    company: Company
    billsby: HttpBillsby

    def calls(self, part: str) -> int:
        """How many calls with this in their path have arrived."""
        return sum(part in call.path for call in self.company.calls())


@pytest.fixture
def practice(db: None) -> Iterator[Practice]:
    with clock.frozen(START):
        company = Company.open(":memory:", domain="acme", api_key=KEY, clock=clock.now)
        billsby = billsby_of(company, key=KEY)
        with outside.using(billsby=billsby):
            yield Practice(company, billsby)
        billsby.close()
        company.close()
