from __future__ import annotations

import pytest

from billsby_sandbox import quirks, seed

from .conftest import NOON


def test_the_state_tells_of_the_company_at_a_glance(company, browser):
    company.add_subscription(company.add_customer().uid)
    state = browser.get("/_practice/state").json
    assert state["company"] == "acme"
    assert state["now"] == NOON.isoformat()
    assert state["subscriptions"]["Active"] == 1
    assert (state["down"], state["customers"]) == ("no", 1)


def test_every_quirk_is_listed_with_its_meaning_and_set_by_name(company, browser):
    listed = {one["name"]: one for one in browser.get("/_practice/quirks").json}
    assert set(listed) == set(quirks.REGISTRY)
    assert all(one["meaning"] and one["value"] == one["default"] for one in listed.values())
    reply = browser.put("/_practice/quirks", json={"rate_limit": 3, "suspend_offered": False})
    assert (reply.json["rate_limit"], reply.json["suspend_offered"]) == ("3", "no")


def test_one_wrong_quirk_sets_none(company, browser):
    reply = browser.put("/_practice/quirks", json={"rate_limit": 3, "nonsense": "yes"})
    assert (reply.status_code, company.quirks()["rate_limit"]) == (400, "0")
    assert "nonsense" in reply.json["error"]


def test_faults_are_added_listed_and_dropped(browser):
    rule = {"kind": "status", "status": 429, "retry_after": "2", "times": 1}
    added = browser.post("/_practice/faults", json=rule)
    assert added.status_code == 201
    assert [one["status"] for one in browser.get("/_practice/faults").json] == [429]
    assert browser.delete(f"/_practice/faults/{added.json['id']}").json == []
    browser.post("/_practice/faults", json=rule)
    browser.delete("/_practice/faults")
    assert browser.get("/_practice/faults").json == []
    assert browser.post("/_practice/faults", json={"kind": "bang"}).status_code == 400


def test_the_clock_moves_and_bills(company, browser):
    company.add_subscription(company.add_customer().uid)
    reply = browser.post("/_practice/clock", json={"days": 31}).json
    assert reply["billing_steps"] == 2
    assert browser.get("/_practice/state").json["invoices"]["Paid"] == 1
    back = browser.post("/_practice/clock", json={"days": -1})
    assert (back.status_code, back.json["error"]) == (400, "The clock only moves forward.")


def test_the_api_goes_down_and_up(browser):
    assert browser.put("/_practice/down", json={"how": "503"}).json == {"down": "503"}
    assert browser.get("/api/v1/rest/core/acme/customers").status_code == 503
    assert browser.get("/_practice/state").json["down"] == "503"
    browser.put("/_practice/down", json={"how": "no"})
    assert browser.get("/api/v1/rest/core/acme/customers").status_code == 401
    assert browser.put("/_practice/down", json={"how": "sideways"}).status_code == 400


def test_a_card_is_made_to_fail(company, browser):
    uid = company.add_customer().uid
    browser.put(f"/_practice/customers/{uid}/card", json={"good": False})
    assert company.customer(uid).card_good is False
    reply = browser.put("/_practice/customers/NOBODY/card", json={"good": False})
    assert (reply.status_code, reply.json["error"]) == (404, "Customer not found")


def test_history_calls_and_webhooks_can_be_read_from_outside(company, browser, api):
    uid = company.add_customer().uid
    api.get(f"/acme/customers/{uid}")
    (created,) = browser.get("/_practice/history").json
    assert (created["what"], created["who"]) == ("customer created", "practice")
    assert browser.get(f"/_practice/history?after={created['id']}").json == []
    (call,) = browser.get("/_practice/calls").json
    assert (call["method"], call["path"]) == ("GET", f"/acme/customers/{uid}")
    (webhook,) = browser.get("/_practice/webhooks").json
    assert (webhook["type"], webhook["body"]["CustomerUniqueId"]) == ("CustomerCreated", uid)


@pytest.mark.parametrize(("body", "customers"), [({}, 0), ({"seed": seed.DEFAULT_SEED}, 64)])
def test_the_company_starts_over_empty_or_filled(company, browser, body, customers):
    company.add_customer("Old", "Client")
    assert browser.post("/_practice/reset", json=body).json == {"customers": customers}
    assert "Old Client" not in {one.full_name for one in company.customers()}


def test_the_practice_calls_are_not_part_of_the_api(company, browser):
    browser.get("/_practice/state")
    assert company.calls() == []
    assert browser.get("/").headers["Location"] == "/panel/"
