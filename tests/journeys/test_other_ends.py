"""Cases that end otherwise: kept, withdrawn, cancelled for good; and who may not."""

from __future__ import annotations

from playwright.sync_api import expect

from billsby_sandbox import seed
from tests.journeys import people
from tests.journeys.stack import Desk


def test_a_client_who_is_charged_soon_is_held_and_gets_the_date_back_when_kept(
    desk: Desk,
) -> None:
    subscription = seed.SUBSCRIPTION_OF[seed.SOON]
    original = desk.practice.get(f"subscriptions/{subscription}")["nextBillingDate"]
    manager = desk.page("manager")
    people.file_request(manager, "ashdown")
    people.expect_state(manager, "Held")
    people.attempt(manager, "Another bill date", "Accepted")
    people.decide(manager, "Retained")
    people.expect_state(manager, "Retained")
    expect(people.part(manager, "Log")).to_contain_text("is not held any more", timeout=people.SOON)
    after = desk.practice.get(f"subscriptions/{subscription}")
    assert after["nextBillingDate"][:10] == original[:10]
    assert after["status"] == "Active"
    assert not people.rows_of(desk, "Nora Ashdown")


def test_a_request_that_was_none_is_withdrawn(desk: Desk) -> None:
    agent = desk.page("agent")
    people.file_request(agent, "clara winslow")
    withdraw = people.part(agent, "Withdraw")
    withdraw.get_by_label("It was not a wish to stop").check()
    withdraw.get_by_role("button", name="Withdraw the case").click()
    people.expect_state(agent, "Withdrawn")
    assert not people.rows_of(desk, "Clara Winslow")
    assert people.status_at_billsby(desk, seed.SUBSCRIPTION_OF[seed.CLEAN[0]]) == "Active"


def test_a_manager_cancels_for_good_by_typing_the_id(desk: Desk) -> None:
    manager = desk.page("manager")
    people.file_request(manager, "hugo marchetti")
    people.decide(manager, "Cancel for good", typed_id="SOMEBODYELSE")
    expect(manager.get_by_text("not this client's Billsby ID").first).to_be_visible()
    people.decide(manager, "Cancel for good", typed_id=seed.CLEAN[1])
    people.expect_state(manager, "Closed")
    assert people.status_at_billsby(desk, seed.SUBSCRIPTION_OF[seed.CLEAN[1]]) == "Cancelled"
    assert len(people.rows_of(desk, "Hugo Marchetti")) == 1


def test_an_agent_is_not_offered_what_belongs_to_managers(desk: Desk) -> None:
    manager, agent = desk.page("manager"), desk.page("agent")
    address = people.file_request(agent, "dale whitcombe")
    expect(people.part(agent, "Decision").get_by_role("button")).to_have_count(0)
    expect(people.part(agent, "Retention").get_by_role("button")).to_have_count(0)
    manager.goto(address)
    people.decide(manager, "Suspend")
    agent.goto(address)
    write_offs = people.part(agent, "Write-offs to approve")
    expect(write_offs).to_contain_text("Ask a manager", timeout=people.SOON)
    expect(write_offs.get_by_role("button")).to_have_count(0)
    for act in ("decide", "attempt", "take-back"):
        token = agent.locator("meta[name=csrf-token]").get_attribute("content") or ""
        reply = agent.request.post(
            f"{address}{act}/",
            form={
                "decision": "retained",
                "offer": "pause",
                "answer": "refused",
                "channel": "call",
                "why": "x",
                "form_token": f"a token for {act}",
                "csrfmiddlewaretoken": token,
            },
            headers={"Referer": address},
        )
        assert reply.status == 403, (act, reply.status)
    assert not people.writes(desk, f"{seed.DALE}-")
    refused = desk.run(
        "case",
        "decide",
        address.rstrip("/").rsplit("/", 1)[1],
        "retained",
        "--as",
        "agent@example.com",
    )
    assert refused.returncode == 1
    assert "may not decide" in refused.stdout + refused.stderr
