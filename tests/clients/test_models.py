"""What a client and their subscriptions are called."""

import datetime as dt

import pytest

from canceldesk.clients.models import Client, OpenInvoice, Refresh, Subscription

AT = dt.datetime(2026, 3, 2, 15, 4, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"first_name": "Anna", "last_name": "Berg"}, "Anna Berg"),
        ({"first_name": "Anna"}, "Anna"),
        ({"last_name": "Berg", "email": "b@example.com"}, "Berg"),
        ({"email": "b@example.com"}, "b@example.com"),
        ({}, "CUS1"),
    ],
)
def test_a_client_is_never_without_a_name(fields: dict[str, str], name: str) -> None:
    assert str(Client(billsby_id="CUS1", **fields)) == name


@pytest.mark.parametrize("status", list(Subscription.Status))
def test_only_suspended_and_cancelled_are_stopped(status: Subscription.Status) -> None:
    one = Subscription(status=status)
    assert one.is_stopped == (status in {"suspended", "cancelled"})
    assert one.is_live != one.is_stopped


def test_a_subscription_is_called_by_its_plan_else_its_product() -> None:
    assert str(Subscription(billsby_id="S1", plan_name="Gold", product_name="P")) == "Gold (S1)"
    assert str(Subscription(billsby_id="S1", product_name="Coaching")) == "Coaching (S1)"
    assert str(Subscription(billsby_id="S1")) == "Subscription (S1)"


def test_an_invoice_is_called_by_its_number_and_a_refresh_by_its_start() -> None:
    assert str(OpenInvoice(number="INV-7")) == "INV-7"
    assert str(Refresh(started_at=AT)) == "2026-03-02 15:04"
