from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import httpx
import pytest
from flask.testing import FlaskClient

from billsby_sandbox.app import create_app
from billsby_sandbox.company import Company
from billsby_sandbox.faults import BASE
from billsby_sandbox.transport import InProcessTransport

NOON = dt.datetime(2026, 3, 10, 12, 1, tzinfo=dt.UTC)
KEY = "acme_practice"


@pytest.fixture
def company() -> Iterator[Company]:
    opened = Company.open(":memory:", domain="acme", api_key=KEY, clock=lambda: NOON)
    yield opened
    opened.close()


@pytest.fixture
def api(company: Company) -> Iterator[httpx.Client]:
    with httpx.Client(
        transport=InProcessTransport(create_app(company)),
        base_url=f"http://practice{BASE}",
        headers={"ApiKey": KEY},
    ) as client:
        yield client


@pytest.fixture
def browser(company: Company) -> FlaskClient:
    return create_app(company).test_client()
