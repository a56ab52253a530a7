"""A Billsby that answers what the test says, and a clock that sleeping moves."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from canceldesk.billsby import HttpBillsby

KEY = "widgets_0123456789abcdef0123456789abcdef"
DOMAIN = "widgets"
BASE = "https://billsby.example.com/api/v1/rest/core"

Answer = httpx.Response | Exception
Handler = Callable[[httpx.Request], httpx.Response]


@dataclass
class MovedClock:
    """Time that passes only when someone sleeps, or when a test says so."""

    at: float = 1000.0
    naps: list[float] = field(default_factory=list)

    def monotonic(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.at += seconds

    def now(self) -> datetime:
        return datetime(2030, 1, 1, tzinfo=UTC) + timedelta(seconds=self.at - 1000)


class Script:
    """Gives one answer after the other and keeps what it was asked; the last answer stays."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, content=answer.content, headers=answer.headers)


def client(
    handler: Handler, clock: MovedClock | None = None, rate_per_second: float = 1000.0
) -> HttpBillsby:
    clock = clock or MovedClock()
    return HttpBillsby(
        base_url=BASE,
        company_domain=DOMAIN,
        api_key=KEY,
        rate_per_second=rate_per_second,
        transport=httpx.MockTransport(handler),
        sleep=clock.sleep,
        monotonic=clock.monotonic,
        now=clock.now,
    )


def answering(value: object, status: int = 200) -> HttpBillsby:
    """A client whose every call is answered with this JSON."""
    return client(Script(httpx.Response(status, json=value)))


def says(text: str, status: int = 200, content_type: str = "application/json") -> HttpBillsby:
    """A client whose every call is answered with this text."""
    return client(Script(httpx.Response(status, text=text, headers={"Content-Type": content_type})))


def envelope(rows: Iterable[Any], pages: int = 1, count: int | None = None) -> dict[str, Any]:
    results = list(rows)
    return {
        "currentPage": 1,
        "pageCount": pages,
        "pageSize": 100,
        "rowCount": len(results) if count is None else count,
        "results": results,
    }


def sent(request: httpx.Request) -> Any:
    return json.loads(request.content) if request.content else None


def customer_row(billsby_id: str = "6ZY37ULDEF", **changes: Any) -> dict[str, Any]:
    return {
        "customerUniqueId": billsby_id,
        "firstName": "Mary",
        "lastName": "Quinn",
        "email": "mary.quinn@example.com",
        "createdOn": "2020-04-29T10:08:39.320Z",
        "status": "active",
        "phoneNumber": "2025550123",
        "phoneNumberDialCode": "+1",
        "phoneNumberDialCodeCountry": "USA",
        "billingAddress": {"city": "Springfield"},
    } | changes


def customer_details(billsby_id: str = "6ZY37ULDEF", **changes: Any) -> dict[str, Any]:
    return (
        customer_row(billsby_id)
        | {
            "companyCurrency": "usd",
            "totalAmountPaid": "440",
            "averageAmountPerMonth": "20",
            "cardStatus": "active",
            "additionalEmail": "mary@example.com",
        }
        | changes
    )


def subscription_details(billsby_id: str = "Y7MX4G314L", **changes: Any) -> dict[str, Any]:
    return {
        "contractMinimumTermEnd": None,
        "createdOn": "2020-12-21T15:59:19.095789",
        "currency": "USD",
        "customerEmail": "mary.quinn@example.com",
        "customerFullname": "Mary Quinn",
        "customerId": 243,
        "customerUniqueId": "6ZY37ULDEF",
        "cycleId": 28,
        "nextBillingAmount": 4000,
        "nextBillingDate": "2021-01-01T15:59:19.095789",
        "planId": 26,
        "planName": "First plan",
        "productName": "First product",
        "status": "Active",
        "subscriptionId": 114,
        "subscriptionUniqueId": billsby_id,
        "totalRevenue": 1446,
        "units": 1,
    } | changes


def invoice_row(number: str = "6ZY37ULDEF-3", **changes: Any) -> dict[str, Any]:
    return {
        "invoiceId": 3,
        "createdOn": "2020-04-30T10:47:05.886Z",
        "invoiceNumber": number,
        "amount": 3010,
        "refundableAmount": 3010,
        "formattedAmount": "$30.10",
        "currency": "USD",
        "linkedTransactionsCount": 0,
        "status": "Paid",
    } | changes


def company_invoice_row(number: str = "6ZY37ULDEF-3", **changes: Any) -> dict[str, Any]:
    return (
        invoice_row(number)
        | {"customerId": 10, "customerUniqueId": "6ZY37ULDEF", "customerFullName": "Mary Quinn"}
        | changes
    )
