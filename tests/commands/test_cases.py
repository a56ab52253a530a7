from __future__ import annotations

import pytest

from canceldesk.billsby import Unreachable
from canceldesk.cases.models import Case, Decision, Finding, State
from canceldesk.clients import search
from canceldesk.closing import services as closing
from canceldesk.closing.models import Step
from canceldesk.retention.models import Attempt
from tests.closing.test_watch import closed_case
from tests.commands.conftest import Desk, Say, answer
from tests.factories import make_case, make_finding

AGENT = ("--as", "agent@example.com")
MANAGER = ("--as", "manager@example.com")


# ------------------------------------------------------------------ filing


def stopped_before(desk: Desk) -> tuple[str, str]:
    """A client and their service, which was suspended for a case that is closed by now."""
    case = closed_case(desk)
    desk.mirrored(case.client.billsby_id)
    desk.later(days=1)
    return case.client.billsby_id, case.scope.get().subscription.billsby_id


def test_who_came_back_is_filed_as_billsby_has_them_now(desk: Desk, say: Say) -> None:
    customer, service = stopped_before(desk)
    desk.company.panel_activate(service)

    filed = answer(say("case", "new", customer, "--reason", "service", *AGENT, "--json"))

    assert filed["subscriptions"] == [service]
    assert filed["next_charge_at"]


def test_what_is_suspended_still_is_not_filed_again(desk: Desk, say: Say) -> None:
    customer, service = stopped_before(desk)

    said = say(*("case", "new", customer, "--subscription", service, "--reason", "service", *AGENT))

    assert said.exit_code == 1
    stopped = f"already suspended: {Case.objects.get().number} stopped it"
    assert stopped in " ".join(said.stderr.split())


def test_nobody_is_turned_away_by_the_copy_while_billsby_does_not_answer(
    desk: Desk, say: Say
) -> None:
    customer, service = stopped_before(desk)
    desk.company.panel_activate(service)
    desk.company.set_down()

    said = say(
        *("case", "new", customer, "--subscription", service, "--reason", "service"),
        *(*AGENT, "--json"),
    )

    filed = Case.objects.get(state=State.NEW).number
    assert answer(said)["number"] == filed
    assert f"So {filed} is filed from the desk's copy." in said.stderr


def test_what_does_not_run_has_to_be_named(desk: Desk, say: Say) -> None:
    customer, service = stopped_before(desk)

    said = say("case", "new", customer, "--reason", "service", *AGENT)

    assert said.exit_code == 1
    sentence = " ".join(said.stderr.split())
    assert "nothing that runs, as far as the desk knows: " in sentence
    assert f"({service}). Choose with --subscription." in sentence


def test_a_request_is_filed_for_the_client_that_fits(desk: Desk, say: Say) -> None:
    customer, subscription = desk.client("Nora", "Field")
    desk.mirrored(customer.uid)

    filed = answer(say("case", "new", "nora field", "--reason", "service", *AGENT, "--json"))

    assert filed["number"] == Case.objects.get().number
    assert filed["client"] == {"billsby_id": customer.uid, "name": "Nora Field"}
    assert filed["subscriptions"] == [subscription.uid]
    assert (filed["state"], filed["wish"], filed["reason"]) == ("new", "suspend", "service")


def test_when_several_clients_fit_nothing_is_filed(desk: Desk, say: Say) -> None:
    for last in ("Field", "Fielding"):
        desk.mirrored(desk.client("Nora", last)[0].uid)

    said = say("case", "new", "nora fie", "--reason", "service", *AGENT)

    assert said.exit_code == 1
    assert "Several clients fit" in said.stderr
    assert "Nora Fielding" in said.stderr
    assert not Case.objects.exists()


def test_of_two_clients_the_one_with_the_given_id_is_meant(desk: Desk, say: Say) -> None:
    uids = [desk.client("Nora", "Field")[0].uid for _ in range(2)]
    for uid in uids:
        desk.mirrored(uid)

    filed = answer(say("case", "new", uids[1], "--reason", "service", *AGENT, "--json"))

    assert filed["client"]["billsby_id"] == uids[1]


def test_a_name_that_is_only_nearly_alike_is_another_person(desk: Desk, say: Say) -> None:
    customer, _ = desk.client("Jordan", "Meyer")
    desk.mirrored(customer.uid)

    said = say("case", "new", "Jordan Mayer", "--reason", "service", *AGENT)

    assert said.exit_code == 1
    assert (
        f"No client fits “Jordan Mayer”. Nearly alike: Jordan Meyer ({customer.uid}). Give the "
        "Billsby ID."
    ) in " ".join(said.stderr.split())
    assert not Case.objects.exists()


def test_a_client_nobody_knows_is_refused(desk: Desk, say: Say) -> None:
    said = say("case", "new", "Somebody Else", "--reason", "service", *AGENT, "--json")

    assert said.exit_code == 1
    assert answer(said) == {"done": False, "sentence": "No client fits “Somebody Else”."}


def test_of_two_subscriptions_one_must_be_chosen(desk: Desk, say: Say) -> None:
    customer, first = desk.client()
    second = desk.company.add_subscription(customer.uid, desk.company.add_plan(amount=4900))
    desk.mirrored(customer.uid)

    unsaid = say("case", "new", customer.uid, "--reason", "service", *AGENT)
    wrong = say(
        "case", "new", customer.uid, "--reason", "service", "--subscription", "SUB0", *AGENT
    )
    filed = say(
        *("case", "new", customer.uid, "--reason", "service", *AGENT, "--json"),
        *("--subscription", second.uid),
    )

    assert (unsaid.exit_code, wrong.exit_code) == (1, 1)
    assert first.uid in unsaid.stderr
    assert second.uid in unsaid.stderr
    assert "no subscription SUB0" in wrong.stderr
    assert answer(filed)["subscriptions"] == [second.uid]


@pytest.mark.parametrize(
    ("option", "known"),
    [("--reason", "too_expensive"), ("--wish", "unsure"), ("--channel", "email")],
)
def test_a_word_the_desk_does_not_know_is_answered_with_those_it_does(
    desk: Desk, say: Say, option: str, known: str
) -> None:
    customer, _ = desk.client()
    desk.mirrored(customer.uid)

    said = say("case", "new", customer.uid, "--reason", "service", *AGENT, option, "whatever")

    assert said.exit_code == 2
    assert known in said.stderr


def test_somebody_the_desk_does_not_know_may_nothing(desk: Desk, say: Say) -> None:
    customer, _ = desk.client()
    desk.mirrored(customer.uid)

    said = say("case", "new", customer.uid, "--reason", "service", "--as", "who@example.com")

    assert said.exit_code == 1
    assert "no user with the address who@example.com" in said.stderr


# ------------------------------------------------------------------ looking


def test_open_cases_are_listed_those_charged_next_first(desk: Desk, say: Say) -> None:
    later = desk.file(desk.client("Later", "Charged")[1])
    sooner = desk.file(desk.client("Sooner", "Charged")[1])
    ended = desk.decided(desk.client("Ended", "Case")[1], decision=Decision.RETAINED)
    Case.objects.filter(pk=sooner.pk).update(next_charge_at=desk.company.now())

    listed = answer(say("case", "list", "--json"))
    everything = answer(say("case", "list", "--all", "--json"))
    retained = answer(say("case", "list", "--state", "retained", "--json"))

    assert [one["number"] for one in listed] == [sooner.number, later.number]
    assert len(everything) == 3
    assert [one["number"] for one in retained] == [ended.number]


def test_the_list_can_be_read_by_people(desk: Desk, say: Say) -> None:
    assert "There is no such case." in say("case", "list").stdout
    case = desk.file(desk.client("Nora", "Field")[1])

    assert case.number in say("case", "list").stdout


def test_a_case_is_shown_with_its_steps_and_its_log(desk: Desk, say: Say) -> None:
    case = desk.advance(desk.decided(desk.client()[1]))

    shown = answer(say("case", "show", case.number, "--json"))
    read = say("case", "show", str(case.pk)).stdout

    assert [step["name"] for step in shown["steps"][:2]] == ["hold", "facts"]
    assert shown["steps"][0]["state"] == "done"
    assert shown["log"][0] | {"at": ""} == {
        "at": "",
        "by": "Agent",
        "what": "filed the request (Call): Stop for now (suspend)",
    }
    assert "decided: Suspend" in read
    assert "the desk: took the facts" in read


@pytest.mark.parametrize("number", ["C-99999", "77", "nonsense"])
def test_a_case_that_does_not_exist_is_said_to(desk: Desk, say: Say, number: str) -> None:
    said = say("case", "show", number)

    assert said.exit_code == 1
    assert f"There is no case {number}." in said.stderr


# ------------------------------------------------------------------ who may what


@pytest.mark.parametrize(
    "command",
    [
        ("decide", "suspend"),
        ("decide", "retained"),
        ("decide", "cancel", "--typed-id", "whatever"),
        ("attempt", "--offer", "help", "--answer", "refused"),
        ("take-back", "--why", "a mistake"),
        ("take-off-list", "--why", "a mistake"),
        ("rewrite-row",),
        ("withdraw", "--because", "changed_mind"),
    ],
    ids=" ".join,
)
def test_what_belongs_to_managers_is_refused_to_an_agent(
    desk: Desk, say: Say, command: tuple[str, ...]
) -> None:
    case = desk.file(desk.client()[1])

    said = say("case", command[0], case.number, *command[1:], *AGENT)

    assert said.exit_code == 1
    assert "Ask a manager" in said.stderr
    case.refresh_from_db()
    assert case.state == State.NEW
    assert not Attempt.objects.exists()


def test_an_agent_may_not_write_off_above_the_limit(desk: Desk, say: Say) -> None:
    _, subscription = desk.client()
    desk.invoice(subscription, 10_001)
    case = desk.advance(desk.decided(subscription))

    said = say("case", "write-off", case.number, "--all", *AGENT)

    assert said.exit_code == 1
    assert "above the agents' limit" in said.stderr
    assert desk.writes("WrittenOff") == []


# ------------------------------------------------------------------ bringing forward


def test_a_manager_decides_and_the_desk_works(desk: Desk, say: Say) -> None:
    _, subscription = desk.client()
    case = desk.file(subscription)

    decided = answer(say("case", "decide", case.number, "suspend", *MANAGER, "--json"))
    passed = say("case", "advance", case.number)
    desk.company.panel_suspend(subscription.uid)
    closed = answer(say("case", "advance", case.number, "--json"))

    assert (decided["state"], decided["decided_by"]) == ("closing", "manager@example.com")
    assert "to Suspended in Billsby" in passed.stdout
    assert closed["state"] == "closed"


def test_everything_that_is_due_can_be_done_at_once(desk: Desk, say: Say) -> None:
    for last in ("One", "Two"):
        desk.decided(desk.client("Client", last)[1])

    assert answer(say("case", "advance", "--json")) == {"done": True, "passes": 2}
    assert "0 passes made." in say("case", "advance").stdout


def test_a_case_a_worker_has_is_left_to_it(desk: Desk, say: Say) -> None:
    from canceldesk.cases import lease

    case = desk.file(desk.client()[1])
    lease.take(case.pk, "a worker")

    said = say("case", "advance", case.number)

    assert said.exit_code == 1
    assert "being worked on" in said.stderr


def test_a_pass_that_was_overtaken_is_not_called_a_workers(
    desk: Desk, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    from canceldesk import engine

    case = desk.file(desk.client()[1])
    monkeypatch.setattr(engine, "make_passes", lambda *_given, **_named: 0)

    said = say("case", "advance", case.number)

    assert said.exit_code == 1
    assert "did not come to its end" in said.stderr
    assert "worker" not in said.stderr


def test_a_full_cancel_needs_the_typed_id(desk: Desk, say: Say) -> None:
    customer, subscription = desk.client()
    case = desk.file(subscription)

    wrong = say("case", "decide", case.number, "cancel", "--typed-id", "CUS0", *MANAGER)
    right = say("case", "decide", case.number, "cancel", "--typed-id", customer.uid, *MANAGER)

    assert (wrong.exit_code, right.exit_code) == (1, 0)
    assert "not this client's Billsby ID" in wrong.stderr


def test_an_effort_to_keep_the_client_is_recorded(desk: Desk, say: Say) -> None:
    case = desk.file(desk.client()[1])

    said = say(
        *("case", "attempt", case.number, "--offer", "discount", "--answer", "thinking"),
        *("--note", "Calls back on Friday.", *MANAGER, "--json"),
    )

    assert answer(said)["state"] == "retention"
    made = Attempt.objects.get()
    assert (made.offer, made.answer, made.note) == ("discount", "thinking", "Calls back on Friday.")


def test_what_was_said_is_noted(desk: Desk, say: Say) -> None:
    case = desk.file(desk.client()[1])

    say("case", "note", case.number, "They called again.", *AGENT)
    say("case", "note", case.number, "We called.", "--to-client", *AGENT)

    assert [(m.direction, m.body) for m in case.messages.all()] == [
        ("in", "They called again."),
        ("out", "We called."),
    ]


def test_a_case_is_withdrawn_with_a_reason(desk: Desk, say: Say) -> None:
    case = desk.file(desk.client()[1])

    said = say("case", "withdraw", case.number, "--because", "not_a_cancellation", *AGENT, "--json")

    assert answer(said)["state"] == "withdrawn"


def test_a_withdrawal_that_is_not_the_agents_to_make_is_explained(desk: Desk, say: Say) -> None:
    case = desk.file(desk.client()[1])
    twice = say("case", "withdraw", case.number, "--because", "duplicate", *AGENT)
    say("case", "attempt", case.number, "--offer", "help", "--answer", "thinking", *MANAGER)
    taken_up = say("case", "withdraw", case.number, "--because", "not_a_cancellation", *AGENT)

    assert (twice.exit_code, taken_up.exit_code) == (1, 1)
    assert "may not say that a case was filed twice. Ask a manager" in twice.stderr
    assert "in retention. Ask a manager" in taken_up.stderr
    case.refresh_from_db()
    assert case.state == State.RETENTION


def test_a_decision_is_taken_back(desk: Desk, say: Say) -> None:
    case = desk.decided(desk.client()[1])

    said = say("case", "take-back", case.number, "--why", "called again", *MANAGER, "--json")

    assert answer(said)["state"] == "retention"


def test_a_written_row_leaves_the_list_when_its_decision_is_taken_back(
    desk: Desk, say: Say
) -> None:
    case = desk.advance(desk.decided(desk.client()[1]))

    said = say("case", "take-back", case.number, "--why", "called again", *MANAGER)
    leaving = say("case", "show", case.number)
    desk.advance(case)
    gone = answer(say("case", "show", case.number, "--json"))

    assert said.exit_code == 0
    assert "row        To be taken out" in leaving.stdout
    assert (gone["state"], gone["row"]) == ("retention", "Taken out, read back")
    assert not desk.the_list.rows


def test_the_row_of_a_closed_case_is_taken_off_and_written_again(desk: Desk, say: Say) -> None:
    case = desk.advance(desk.decided(desk.client()[1]))
    early = say("case", "take-off-list", case.number, "--why", "a mistake", *MANAGER)
    desk.company.panel_suspend(case.scope.get().subscription.billsby_id)
    desk.advance(case)

    off = say("case", "take-off-list", case.number, "--why", "a mistake", *MANAGER, "--json")
    desk.advance(case)
    assert not desk.the_list.rows
    back = say("case", "rewrite-row", case.number, *MANAGER)
    desk.advance(case)

    assert early.exit_code == 1
    assert "Take its decision back instead" in early.stderr
    assert answer(off)["state"] == "closed"
    assert back.exit_code == 0
    assert len(desk.the_list.rows) == 1
    assert answer(say("case", "show", case.number, "--json"))["row"] == "Read back"


def test_a_case_without_a_row_says_so(desk: Desk, say: Say) -> None:
    case = desk.file(desk.client()[1])
    assert answer(say("case", "show", case.number, "--json"))["row"] == "Not written"


def test_what_waits_for_approval_is_shown_before_it_is_approved(desk: Desk, say: Say) -> None:
    _, subscription = desk.client()
    first, second = desk.invoice(subscription, 4900), desk.invoice(subscription, 5000)
    case = desk.advance(desk.decided(subscription))

    shown = say("case", "write-off", case.number, *AGENT)
    listed = answer(say("case", "write-off", case.number, *AGENT, "--json"))
    unknown = say("case", "write-off", case.number, "--invoice", "INV0", *AGENT)
    approved = say("case", "write-off", case.number, "--invoice", first.number, *AGENT)

    assert f"{first.number}  $49.00  Unpaid" in shown.stdout
    assert {one["number"] for one in listed} == {first.number, second.number}
    assert (unknown.exit_code, approved.exit_code) == (1, 0)
    assert {one["number"] for one in closing.to_approve(desk.advance(case))} == {second.number}


def test_what_only_a_person_can_place_is_shown_and_approved_by_its_number_alone(
    desk: Desk, say: Say
) -> None:
    _, subscription = desk.client()
    sure, unsure = desk.invoice(subscription, 4900), desk.invoice(subscription, 5000)
    case = desk.advance(desk.decided(subscription))
    step = desk.step(case, Step.Name.CLEAR)
    there = {one["number"]: one for one in step.evidence["to_approve"]}
    step.evidence |= {"to_approve": [there[sure.number]], "may_approve": [there[unsure.number]]}
    step.save()

    shown = say("case", "write-off", case.number, *AGENT).stdout.splitlines()
    listed = answer(say("case", "write-off", case.number, *AGENT, "--json"))
    say("case", "write-off", case.number, "--all", *AGENT)
    by_all = set(case.write_off_approvals.values_list("invoice_number", flat=True))
    say("case", "write-off", case.number, "--invoice", unsure.number, *AGENT)

    assert [("perhaps for a service that stays" in line) for line in shown] == [False, True]
    assert {one["number"]: one["may_be_for_what_stays"] for one in listed} == {
        sure.number: False,
        unsure.number: True,
    }
    assert by_all == {sure.number}
    assert case.write_off_approvals.filter(invoice_number=unsure.number).exists()


def test_nothing_to_approve_is_said(desk: Desk, say: Say) -> None:
    case = desk.file(desk.client()[1])

    assert "Nothing waits for approval." in say("case", "write-off", case.number, *AGENT).stdout


def test_a_hold_is_lifted_for_a_click(desk: Desk, say: Say) -> None:
    case = desk.advance(desk.decided(desk.client()[1]))

    first = say("case", "release", case.number, *AGENT)
    again = say("case", "release", case.number, *AGENT)

    assert (first.exit_code, again.exit_code) == (0, 1)
    assert "no hold to release" in again.stderr


def test_of_two_holds_one_must_be_chosen(desk: Desk, say: Say) -> None:
    customer, first = desk.client()
    second = desk.company.add_subscription(customer.uid, desk.company.add_plan(amount=4900))
    case = desk.advance(desk.decided(first, second))

    unsaid = say("case", "release", case.number, *AGENT)
    said = say("case", "release", case.number, "--subscription", second.uid, *AGENT)

    assert (unsaid.exit_code, said.exit_code) == (1, 0)
    assert first.uid in unsaid.stderr


def test_the_desk_is_asked_to_try_again(desk: Desk, say: Say) -> None:
    case = desk.advance(desk.decided(desk.client()[1]))

    say("case", "retry", case.number, *AGENT)

    case.refresh_from_db()
    assert case.wake_count == 3


def test_billsby_out_of_reach_is_not_a_refusal(
    desk: Desk, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(_query: str) -> None:
        raise Unreachable("Billsby does not answer.")

    monkeypatch.setattr(search, "matching", down)

    said = say("case", "new", "nora", "--reason", "service", *AGENT, "--json")

    assert said.exit_code == 2
    assert answer(said)["sentence"] == "Billsby does not answer."


def test_what_was_found_is_settled_one_by_one_by_a_manager(desk: Desk, say: Say) -> None:
    case = make_case(State.RETAINED)
    why = ("--why", "they agreed")
    nothing = say("case", "settle", case.number, *why, *MANAGER)
    for number in ("INV-1", "INV-2"):
        make_finding(case, kind=Finding.Kind.CHARGED_AFTER_REQUEST, key=number)

    unclear = say("case", "settle", case.number, *why, *MANAGER)
    by_agent = say("case", "settle", case.number, "--about", "INV-1", *why, *AGENT)
    settled = say("case", "settle", case.number, "--about", "INV-1", *why, *MANAGER, "--json")

    assert (nothing.exit_code, unclear.exit_code, by_agent.exit_code) == (1, 1, 1)
    assert "is left to settle by hand" in nothing.stderr
    assert "Say what is settled with --about: INV-2, INV-1." in unclear.stderr
    assert "Ask a manager" in by_agent.stderr
    assert answer(settled)["state"] == "retained"
    assert [finding.key for finding in case.findings.filter(settled_at=None)] == ["INV-2"]
