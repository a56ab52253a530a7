"""Who may do what: the whole table, spelled out once more on purpose."""

from __future__ import annotations

import pytest

from canceldesk.accounts.models import Role, User
from canceldesk.cases import authority
from canceldesk.cases.authority import TABLE, Act, NotAllowedError

# act: agent, manager, admin
AGREED = {
    Act.FILE: (True, True, True),
    Act.NOTE: (True, True, True),
    Act.WITHDRAW: (True, True, True),
    Act.WITHDRAW_FROM_RETENTION: (False, True, True),
    Act.WITHDRAW_CHANGED_MIND: (False, True, True),
    Act.WITHDRAW_DUPLICATE: (False, True, True),
    Act.RETAIN: (False, True, True),
    Act.DECIDE: (False, True, True),
    Act.FULL_CANCEL: (False, True, True),
    Act.TAKE_BACK: (False, True, True),
    Act.WRITE_OFF: (True, True, True),
    Act.WRITE_OFF_ABOVE_LIMIT: (False, True, True),
    Act.RELEASE_HOLD: (True, True, True),
    Act.RETRY: (True, True, True),
    Act.REWRITE_ROW: (False, True, True),
    Act.TAKE_OFF_LIST: (False, True, True),
    Act.SETTLE_FINDING: (False, True, True),
    Act.CHANGE_SETTINGS: (False, False, True),
    Act.MANAGE_USERS: (False, False, True),
}
ROLES = (Role.AGENT, Role.MANAGER, Role.ADMIN)
EVERY_PAIR = [
    pytest.param(act, role, allowed, id=f"{role.value} {act.value}")
    for act, row in AGREED.items()
    for role, allowed in zip(ROLES, row, strict=True)
]


def somebody(role: Role, *, is_active: bool = True) -> User:
    return User(name="Robin Example", email="robin@example.com", role=role, is_active=is_active)


def test_every_act_and_every_role_has_been_agreed_on() -> None:
    assert set(AGREED) == set(Act) == set(TABLE)
    assert set(ROLES) == set(Role)


@pytest.mark.parametrize(("act", "role", "allowed"), EVERY_PAIR)
def test_a_role_may_do_what_was_agreed_and_nothing_else(
    act: Act, role: Role, allowed: bool
) -> None:
    assert authority.may(somebody(role), act) is allowed


@pytest.mark.parametrize(("act", "role", "allowed"), EVERY_PAIR)
def test_require_stops_exactly_those_who_may_not(act: Act, role: Role, allowed: bool) -> None:
    if allowed:
        authority.require(somebody(role), act)
        return
    with pytest.raises(NotAllowedError) as refused:
        authority.require(somebody(role), act)
    assert str(refused.value) == authority.refusal(somebody(role), act)


@pytest.mark.parametrize("act", Act)
@pytest.mark.parametrize("role", Role)
def test_who_has_been_switched_off_may_nothing(act: Act, role: Role) -> None:
    user = somebody(role, is_active=False)
    assert not authority.may(user, act)
    with pytest.raises(NotAllowedError, match="^Robin Example has been switched off and may not"):
        authority.require(user, act)


@pytest.mark.parametrize("act", Act)
def test_what_a_lower_role_may_every_higher_role_may_too(act: Act) -> None:
    allowed = [authority.may(somebody(role), act) for role in ROLES]
    assert allowed == sorted(allowed)


def test_managers_alone_decide_retain_and_fully_cancel() -> None:
    for act in (Act.RETAIN, Act.DECIDE, Act.FULL_CANCEL, Act.WRITE_OFF_ABOVE_LIMIT):
        assert Role.AGENT not in TABLE[act]


@pytest.mark.parametrize(
    ("act", "role", "sentence"),
    [
        (Act.DECIDE, Role.AGENT, "An agent may not decide a case. Ask a manager or an admin."),
        (
            Act.FULL_CANCEL,
            Role.AGENT,
            "An agent may not fully cancel a service. Ask a manager or an admin.",
        ),
        (
            Act.WITHDRAW_CHANGED_MIND,
            Role.AGENT,
            "An agent may not say that the client changed their mind. Ask a manager or an admin.",
        ),
        (
            Act.WITHDRAW_DUPLICATE,
            Role.AGENT,
            "An agent may not say that a case was filed twice. Ask a manager or an admin.",
        ),
        (Act.MANAGE_USERS, Role.MANAGER, "A manager may not manage users. Ask an admin."),
    ],
)
def test_a_refusal_says_who_to_ask(act: Act, role: Role, sentence: str) -> None:
    assert authority.refusal(somebody(role), act) == sentence


@pytest.mark.parametrize(
    ("act", "role"),
    [
        (act, role)
        for act, row in AGREED.items()
        for role, ok in zip(ROLES, row, strict=True)
        if not ok
    ],
)
def test_every_refusal_reads_as_two_sentences(act: Act, role: Role) -> None:
    refusal = authority.refusal(somebody(role), act)
    article = "A manager" if role is Role.MANAGER else "An agent"
    assert refusal.startswith(f"{article} may not {act.value}. Ask a")
    assert refusal.endswith("admin.")
    assert "Act." not in refusal
    assert "Role." not in refusal


@pytest.mark.parametrize("act", Act)
def test_an_act_finishes_the_sentence_may_not(act: Act) -> None:
    assert act.value[0].islower()
    assert not act.value.endswith(".")
