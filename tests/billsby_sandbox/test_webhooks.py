from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from billsby_sandbox import webhooks
from billsby_sandbox.company import Company

from .conftest import NOON

URL = "http://desk.example.com/hooks/billsby"


class Inbox:
    """Collects what a webhook receiver would get; answers as told."""

    def __init__(self) -> None:
        self.answer = 200
        self.got: list[tuple[str, dict[str, str], dict[str, Any]]] = []

    def __call__(self, url, headers, body):
        self.got.append((url, dict(headers), json.loads(body)))
        return self.answer

    @property
    def bodies(self):
        return [body for _, _, body in self.got]

    @property
    def types(self):
        return [body["Type"] for body in self.bodies]


@pytest.fixture
def inbox(company):
    box = Inbox()
    company.set_webhook(URL, "the-secret", box)
    return box


def test_all_nine_types_are_sent_with_billsbys_field_names(company, api, inbox):
    customer = company.add_customer("Anna", "Berg")
    subscription = company.add_subscription(customer.uid)
    company.set_card(customer.uid, good=True)
    invoice = company.add_invoice(customer.uid, 1289, "Pending")
    company.advance(hours=1)
    api.post(
        f"/acme/customers/{customer.uid}/refunds",
        json={"invoiceNumber": invoice.number, "amount": 89},
    )
    company.advance(hours=1)
    company.panel_cancel(subscription.uid, customer.uid)
    api.delete(f"/acme/customers/{customer.uid}")
    company.deliver_webhooks()
    by_type = {body["Type"]: body for body in inbox.bodies}
    common = {"Type", "Id"}
    person = {"CustomerUniqueId", "Email", "LastName", "FirstName", "SubscriptionIds"}
    created = {
        "SubscriptionUniqueId",
        "CustomerUniqueId",
        "SubscriptionStatus",
        "BillsbyProductId",
        "BillsbyPlanId",
        "BillsbyCycleId",
        "Units",
    }
    bill = {"InvoiceNumber", "InvoiceAmount", "CurrencyCode", "InvoiceStatus", "Url"}
    note = {"InvoiceNumber", "CustomerId", "CurrencyCode", "Amount", "Status", "Url"}
    assert {type_: set(body) - common for type_, body in by_type.items()} == {
        "CustomerCreated": person,
        "CustomerUpdated": person,
        "CustomerDeleted": person,
        "SubscriptionCreated": created,
        "SubscriptionUpdated": created | {"NextBillingDate"},
        "InvoiceCreated": bill,
        "InvoiceUpdated": bill,
        "CreditNoteCreated": note | {"CustomerUniqueId"},
        "CreditNoteUpdated": note,
    }
    assert by_type["SubscriptionUpdated"]["SubscriptionStatus"] == "Cancelled"
    assert by_type["InvoiceCreated"]["InvoiceAmount"] == 1289
    assert len({body["Id"] for body in inbox.bodies}) == len(inbox.bodies)


def test_webhooks_call_a_paused_subscription_what_the_api_calls_it(company, inbox):
    company.set_quirk("paused_shown", "on_hold")
    company.add_subscription(company.add_customer().uid, status="Paused")
    company.deliver_webhooks()
    assert inbox.bodies[-1]["SubscriptionStatus"] == "OnHold"


def test_the_secret_travels_in_its_header(company, inbox):
    company.add_customer()
    assert company.deliver_webhooks() == 1
    url, headers, _ = inbox.got[0]
    assert (url, headers) == (URL, {"Secret": "the-secret"})


def test_nothing_is_sent_without_an_address(company):
    company.add_customer()
    assert company.deliver_webhooks() == 0
    assert [one.state for one in company.webhooks()] == ["waiting"]


def test_a_suspension_by_hand_arrives_as_subscription_updated(company, inbox):
    subscription = company.add_subscription(company.add_customer().uid)
    company.deliver_webhooks()
    inbox.got.clear()
    company.panel_suspend(subscription.uid)
    company.deliver_webhooks()
    assert [(one["Type"], one["SubscriptionStatus"]) for one in inbox.bodies] == [
        ("SubscriptionUpdated", "Suspended")
    ]


def test_what_does_not_arrive_is_tried_again_after_longer_and_longer_and_then_given_up(
    company, inbox
):
    inbox.answer = 0
    company.add_customer()
    for minutes in (0, 1, 2, 4, 60):
        company.advance(hours=minutes / 60)
        company.deliver_webhooks()
    assert len(inbox.got) == 4
    assert [one.state for one in company.webhooks()] == ["given_up"]


def test_a_webhook_that_failed_once_arrives_at_the_second_try(company, inbox):
    inbox.answer = 500
    company.add_customer()
    assert company.deliver_webhooks() == 0
    inbox.answer = 204
    assert company.deliver_webhooks() == 0
    company.advance(hours=1)
    assert company.deliver_webhooks() == 1
    assert company.deliver_webhooks() == 0
    assert inbox.bodies[0] == inbox.bodies[1]


@pytest.mark.parametrize(("quirk", "count"), [("yes", 1), ("no", 0)])
def test_whether_the_api_fires_webhooks_is_a_quirk(company, api, inbox, quirk, count):
    number = company.add_invoice(company.add_customer().uid).number
    company.deliver_webhooks()
    inbox.got.clear()
    company.set_quirk("webhooks_for_api_changes", quirk)
    api.put(f"/acme/invoices/{number}/WrittenOff")
    company.deliver_webhooks()
    assert len(inbox.got) == count


@pytest.mark.parametrize(("quirk", "some"), [("yes", True), ("no", False)])
def test_whether_billing_fires_webhooks_is_a_quirk(company, inbox, quirk, some):
    company.add_subscription(company.add_customer().uid)
    company.deliver_webhooks()
    inbox.got.clear()
    company.set_quirk("webhooks_for_billing", quirk)
    company.advance(days=31)
    company.deliver_webhooks()
    assert bool(inbox.got) is some


def test_webhooks_can_come_twice_and_in_the_wrong_order(company, inbox):
    company.set_quirk("webhook_duplicates", 1)
    company.set_quirk("webhook_order", "newest_first")
    company.add_subscription(company.add_customer().uid)
    company.deliver_webhooks()
    assert inbox.types == ["SubscriptionCreated"] * 2 + ["CustomerCreated"] * 2
    assert inbox.bodies[0]["Id"] == inbox.bodies[1]["Id"]


def test_webhooks_can_get_lost(company, inbox):
    company.set_quirk("webhook_loss", 100)
    company.add_customer()
    assert company.deliver_webhooks() == 0
    assert inbox.got == []
    assert [one.state for one in company.webhooks()] == ["lost"]


def test_about_as_many_are_lost_as_the_quirk_says():
    lost = sum(webhooks.is_lost(number, 30) for number in range(1000))
    assert 240 < lost < 360
    assert not any(webhooks.is_lost(number, 0) for number in range(1000))


def test_waiting_webhooks_outlive_the_process(tmp_path):
    path = tmp_path / "company.sqlite3"
    first = Company.open(path, api_key="k", clock=lambda: NOON)
    first.add_customer()
    first.close()
    second = Company.open(path, api_key="k", clock=lambda: NOON)
    box = Inbox()
    second.set_webhook(URL, "s", box)
    assert second.deliver_webhooks() == 1
    second.close()
    assert box.types == ["CustomerCreated"]


def test_posting_gives_the_status_or_0_when_nobody_answers(monkeypatch):
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        if request.url.host == "nobody.example.com":
            raise httpx.ConnectError("nobody there", request=request)
        return httpx.Response(202)

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        monkeypatch.setattr(webhooks, "_client", lambda: client)
        assert webhooks.post(URL, {"Secret": "s"}, '{"Type": "X"}') == 202
        assert webhooks.post("http://nobody.example.com/", {}, "{}") == 0
        assert webhooks.post("http://desk:no-port/", {}, "{}") == 0
    assert sent[0].headers["Secret"] == "s"
    assert sent[0].headers["Content-Type"] == "application/json"
