"""Who may do what. One table; every service that changes something asks it."""

from __future__ import annotations

from enum import StrEnum

from canceldesk.accounts.models import Role, User


class Act(StrEnum):
    """Everything a person can do, in words that finish the sentence "may not ..."."""

    FILE = "file a request"
    NOTE = "add a note"
    WITHDRAW = "withdraw a case"
    WITHDRAW_FROM_RETENTION = "withdraw a case that is in retention"
    WITHDRAW_CHANGED_MIND = "say that the client changed their mind"
    WITHDRAW_DUPLICATE = "say that a case was filed twice"
    RETAIN = "make a retention attempt"
    DECIDE = "decide a case"
    FULL_CANCEL = "fully cancel a service"
    TAKE_BACK = "take a decision back"
    WRITE_OFF = "approve a write-off"
    WRITE_OFF_ABOVE_LIMIT = "approve a write-off above the agents' limit"
    RELEASE_HOLD = "release a hold for a moment"
    RETRY = "ask the desk to try again"
    REWRITE_ROW = "have a row written again"
    TAKE_OFF_LIST = "take the row of a closed case off the list"
    SETTLE_FINDING = "settle what was found wrong"
    CHANGE_SETTINGS = "change settings"
    MANAGE_USERS = "manage users"


_EVERYONE = frozenset({Role.AGENT, Role.MANAGER, Role.ADMIN})
_MANAGERS = frozenset({Role.MANAGER, Role.ADMIN})
_ADMINS = frozenset({Role.ADMIN})

TABLE: dict[Act, frozenset[Role]] = {
    Act.FILE: _EVERYONE,
    Act.NOTE: _EVERYONE,
    Act.WITHDRAW: _EVERYONE,
    Act.WITHDRAW_FROM_RETENTION: _MANAGERS,
    Act.WITHDRAW_CHANGED_MIND: _MANAGERS,
    Act.WITHDRAW_DUPLICATE: _MANAGERS,
    Act.RETAIN: _MANAGERS,
    Act.DECIDE: _MANAGERS,
    Act.FULL_CANCEL: _MANAGERS,
    Act.TAKE_BACK: _MANAGERS,
    Act.WRITE_OFF: _EVERYONE,
    Act.WRITE_OFF_ABOVE_LIMIT: _MANAGERS,
    Act.RELEASE_HOLD: _EVERYONE,
    Act.RETRY: _EVERYONE,
    Act.REWRITE_ROW: _MANAGERS,
    Act.TAKE_OFF_LIST: _MANAGERS,
    Act.SETTLE_FINDING: _MANAGERS,
    Act.CHANGE_SETTINGS: _ADMINS,
    Act.MANAGE_USERS: _ADMINS,
}


class NotAllowedError(Exception):
    """The person's role does not reach; the text says who can do it instead."""


def may(user: User, act: Act) -> bool:
    """Whether this user may do this now."""
    return user.is_active and user.role in TABLE[act]


def require(user: User, act: Act) -> None:
    """Raise NotAllowedError unless the user may do this."""
    if not may(user, act):
        raise NotAllowedError(refusal(user, act))


def refusal(user: User, act: Act) -> str:
    """The sentence for somebody who may not."""
    if not user.is_active:
        return f"{user} has been switched off and may not {act}."
    able = " or ".join(
        f"{'an' if role is Role.ADMIN else 'a'} {role.value}" for role in Role if role in TABLE[act]
    )
    role = Role(user.role)
    article = "a" if role is Role.MANAGER else "an"
    return f"{article.capitalize()} {role.value} may not {act}. Ask {able}."
