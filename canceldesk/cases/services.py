"""Everything that changes a case itself. Each service checks authority, changes by
compare-and-set, writes the log, and wakes the case.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet

from canceldesk import clock
from canceldesk.accounts.models import User
from canceldesk.cases import authority, filed_twice, log, waking
from canceldesk.cases.authority import Act, NotAllowedError
from canceldesk.cases.log import Verb
from canceldesk.cases.models import (
    OPEN_STATES,
    UNDECIDED_STATES,
    Case,
    CaseSubscription,
    Channel,
    Message,
    Reason,
    State,
    WaitsFor,
    Wish,
)
from canceldesk.clients.models import Client, Subscription


class CaseError(Exception):
    """What was asked cannot be done with this case; the text says why and what to do."""


class AlreadyOpenError(CaseError):
    """A subscription is in an open case already; `case` is that case."""

    def __init__(self, case: Case) -> None:
        self.case = case
        super().__init__(f"{case.client} already has an open case, {case.number}. Open it instead.")


class MovedOnError(CaseError):
    """Somebody else was quicker: the case is no longer where it was."""


DECIDE_AGAIN: Final = (
    "The desk was put back to a backup, so it is not known whether the decision to cancel still "
    "stands. A manager must decide again."
)
_LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
_IN_WORDS = {state: str(state.label).lower() for state in State} | {State.RETENTION: "in retention"}


class WithdrawBecause:
    """Why a case can be withdrawn."""

    NOT_A_CANCELLATION = "not_a_cancellation"
    DUPLICATE = "duplicate"
    CHANGED_MIND = "changed_mind"

    LABELS = {
        NOT_A_CANCELLATION: "It was not a wish to stop",
        DUPLICATE: "It was filed twice",
        CHANGED_MIND: "The client changed their mind",
    }


def file_request(
    *,
    by: User,
    client: Client,
    subscriptions: Sequence[Subscription],
    wish: Wish,
    channel: Channel,
    reason: Reason,
    reason_words: str = "",
    note: str = "",
    received_at: dt.datetime | None = None,
    form_token: str | None = None,
    is_read_now: bool = False,
) -> Case:
    """Store a client's wish as a new case. The same `form_token` again gives the same case.

    `is_read_now` says that the client has just been read from Billsby. Only then is a wish to
    suspend what is suspended refused: by an older copy it may have been switched on again.

    Raises AlreadyOpenError when a subscription is in an open case, CaseError when the scope
    makes no sense, NotAllowedError.
    """
    authority.require(by, Act.FILE)
    subscriptions = list(dict.fromkeys(subscriptions))
    asked = [subscription.pk for subscription in subscriptions]
    named = _named_by(form_token)
    if named is not None and _is_about(named, asked):
        return named
    if named is not None:
        form_token = None  # it names another case already; this one must not be lost for it
    _check_scope(client, subscriptions)
    if is_read_now and wish != Wish.CANCEL:
        _refuse_what_is_stopped(subscriptions)
    now = clock.now()
    if received_at is not None and received_at > now:
        raise CaseError("The request cannot have come in the future. Check the date and time.")
    try:
        with transaction.atomic():
            case = Case.objects.create(
                client=client,
                wish=wish,
                channel=channel,
                reason=reason,
                reason_words=reason_words.strip(),
                received_at=received_at or now,
                filed_by=by,
                filed_at=now,
                form_token=form_token or None,
                **_next_charge(subscriptions),
            )
            for subscription in subscriptions:
                CaseSubscription.objects.create(case=case, subscription=subscription)
            if note.strip():
                _store_message(case, Message.Direction.IN, channel, note, by, case.received_at)
            log.record(
                Verb.CASE_FILED,
                by=by,
                case=case,
                channel=channel.label,
                wish=wish.label,
                reason=reason.label,
                subscriptions=[subscription.billsby_id for subscription in subscriptions],
            )
            waking.wake(case.pk)
    except IntegrityError:
        if posted := posted_before(form_token, asked):
            return posted
        standing = open_case_of(subscriptions)
        if standing is None:
            raise
        raise AlreadyOpenError(standing) from None
    return case


def posted_before(form_token: str | None, subscription_ids: Collection[int]) -> Case | None:
    """The case this very form was stored as, if any.

    A page that somebody goes back to and fills in for other subscriptions has the same token but
    is another request, so the scope must be the same, too.
    """
    case = _named_by(form_token)
    return case if case is not None and _is_about(case, subscription_ids) else None


def _named_by(form_token: str | None) -> Case | None:
    return Case.objects.filter(form_token=form_token).first() if form_token else None


def _is_about(case: Case, subscription_ids: Collection[int]) -> bool:
    return set(case.scope.values_list("subscription_id", flat=True)) == set(subscription_ids)


def _check_scope(client: Client, subscriptions: Sequence[Subscription]) -> None:
    if not subscriptions:
        raise CaseError("Choose at least one subscription to stop.")
    if any(subscription.client_id != client.pk for subscription in subscriptions):
        raise CaseError("A chosen subscription belongs to another client. Choose again.")
    ended = [s for s in subscriptions if s.status == Subscription.Status.CANCELLED]
    if ended:
        raise CaseError(f"{ended[0]} is already cancelled in Billsby. Leave it out.")


def _refuse_what_is_stopped(subscriptions: Sequence[Subscription]) -> None:
    stopped = stopped_by(subscriptions)
    for subscription in subscriptions:
        if subscription.pk in stopped:
            raise CaseError(
                f"{subscription} is already suspended: {stopped[subscription.pk].number} stopped "
                "it and put the client on the list. Leave it out, or file a wish to cancel for "
                "good."
            )


def stopped_by(subscriptions: Iterable[Subscription]) -> dict[int, Case]:
    """The closed case that stopped each subscription that is suspended, by the subscription's
    primary key. Another wish to suspend it would only put the client on the list once more. One
    that is paused bills again by itself, so whoever asks about it is never turned away.
    """
    suspended = [s.pk for s in subscriptions if s.status == Subscription.Status.SUSPENDED]
    return closed_about(suspended)


def closed_about(subscription_ids: Collection[int]) -> dict[int, Case]:
    """The newest closed case about each subscription, by the subscription's primary key."""
    scopes = CaseSubscription.objects.filter(
        subscription__in=subscription_ids, case__state=State.CLOSED
    )
    newest_last = scopes.select_related("case__client").order_by("case__ended_at", "case_id")
    return {scope.subscription_id: scope.case for scope in newest_last}


def _next_charge(subscriptions: Iterable[Subscription]) -> dict[str, Any]:
    billing = [s for s in subscriptions if s.is_live and s.next_billing_at is not None]
    first = min(billing, key=lambda s: s.next_billing_at or clock.now(), default=None)
    if first is None:
        return {}
    return {
        "next_charge_at": first.next_billing_at,
        "next_charge_minor": first.next_billing_minor,
        "currency": first.currency,
    }


def open_case_of(subscriptions: Iterable[Subscription]) -> Case | None:
    """The open case that one of these subscriptions is in, if any."""
    scope = (
        CaseSubscription.objects.filter(subscription__in=list(subscriptions), is_open=True)
        .select_related("case__client")
        .first()
    )
    return scope.case if scope else None


def add_message(
    case: Case,
    *,
    by: User,
    direction: Message.Direction,
    channel: Channel,
    body: str,
    at: dt.datetime | None = None,
    form_token: str | None = None,
) -> Message:
    """Note what was said or written. The same words with the same `form_token` again give the same
    message. Raises CaseError when there is nothing in it.
    """
    authority.require(by, Act.NOTE)
    if not body.strip():
        raise CaseError("Write what was said before you save it.")
    if posted := _noted_before(case, form_token, body):
        return posted
    if form_token and Message.objects.filter(form_token=form_token).exists():
        form_token = None  # it names another message already; this one must not be lost for it
    try:
        with transaction.atomic():
            message = _store_message(
                case, direction, channel, body, by, at or clock.now(), form_token or None
            )
            log.record(Verb.CASE_MESSAGE, by=by, case=case, channel=channel.label)
            changed(case)
    except IntegrityError:
        if posted := _noted_before(case, form_token, body):
            return posted
        raise
    return message


def _noted_before(case: Case, form_token: str | None, body: str) -> Message | None:
    if not form_token:
        return None
    return case.messages.filter(form_token=form_token, body=body.strip()).first()


def _store_message(
    case: Case,
    direction: Message.Direction,
    channel: Channel,
    body: str,
    by: User | None,
    at: dt.datetime,
    form_token: str | None = None,
) -> Message:
    return Message.objects.create(
        case=case,
        direction=direction,
        channel=channel,
        body=body.strip(),
        by=by,
        at=at,
        form_token=form_token,
    )


def withdraw(case: Case, *, by: User, because: str, words: str = "") -> None:
    """End a case that nobody has decided: not a cancellation, a duplicate, a changed mind.

    A hold that was placed is given back by the next pass, so what a manager has taken up only a
    manager may withdraw. So it is with "filed twice", which needs another open case of the client:
    that one is about other services and does not protect what this one is about.
    Raises MovedOnError when the case is past that, CaseError, NotAllowedError.
    """
    authority.require(by, Act.WITHDRAW)
    if case.state == State.RETENTION:
        authority.require(by, Act.WITHDRAW_FROM_RETENTION)
    if because not in WithdrawBecause.LABELS:
        raise CaseError("Say why the case is withdrawn.")
    if because == WithdrawBecause.CHANGED_MIND:
        authority.require(by, Act.WITHDRAW_CHANGED_MIND)
    if because == WithdrawBecause.DUPLICATE:
        _require_filed_twice(case, by)
    why = WithdrawBecause.LABELS[because]
    if words.strip():
        why = f"{why} ({words.strip()})"
    manages = authority.may(by, Act.WITHDRAW_FROM_RETENTION)
    only_from = UNDECIDED_STATES if manages else [State.NEW]
    with transaction.atomic():
        if because == WithdrawBecause.DUPLICATE and case.state in UNDECIDED_STATES:
            _check_filed_twice(case)
        move(case, State.WITHDRAWN, only_from=only_from, withdrawn_because=why[:200])
        log.record(Verb.CASE_WITHDRAWN, by=by, case=case, why=why)
        waking.wake(case.pk)


def _require_filed_twice(case: Case, by: User) -> None:
    if authority.may(by, Act.WITHDRAW_DUPLICATE):
        return
    refusal = authority.refusal(by, Act.WITHDRAW_DUPLICATE)
    others = filed_twice.others_open(case)
    about = filed_twice.what_each_is_about(case, others)
    raise NotAllowedError(f"{refusal} {about}" if others else refusal)


def _check_filed_twice(case: Case) -> None:
    if not filed_twice.others_open(case):
        raise CaseError(
            f"{case.client} has no other open case, so {case.number} was not filed twice. "
            "Choose another reason."
        )


def move(
    case: Case,
    to: State,
    *,
    only_from: Iterable[State],
    **fields: Any,  # noqa: ANN401 - model fields
) -> None:
    """Change the state by compare-and-set, with the fields that belong to the change.

    Raises MovedOnError when the case is in none of `only_from` any more.
    """
    # What the newest pass waited for belonged to the state that is left now.
    fields |= {"state": to, "waits_for": WaitsFor.NOTHING, "waits_sentence": ""}
    if to not in OPEN_STATES:
        fields["ended_at"] = clock.now()
    with transaction.atomic(savepoint=False):
        moved = Case.objects.filter(pk=case.pk, state__in=list(only_from)).update(
            version=F("version") + 1, **fields
        )
        if moved:
            CaseSubscription.objects.filter(case=case).update(is_open=to in OPEN_STATES)
    if not moved:
        case.refresh_from_db()
        raise MovedOnError(
            f"{case.number} is already {_IN_WORDS[State(case.state)]}. "
            "Look at it again before you go on."
        )
    for name, value in fields.items():
        setattr(case, name, value)


def changed(case: Case) -> None:
    """Tell open pages that the case looks different now."""
    Case.objects.filter(pk=case.pk).update(version=F("version") + 1)


def keep_next_charge(case: Case) -> None:
    """Store the case's clock to the next charge, and tell open pages."""
    Case.objects.filter(pk=case.pk).update(
        next_charge_at=case.next_charge_at,
        next_charge_minor=case.next_charge_minor,
        currency=case.currency,
        version=F("version") + 1,
    )


def keep_open_at_first(case: Case) -> None:
    """Store which of the client's invoices asked for money when the desk first looked."""
    Case.objects.filter(pk=case.pk).update(open_at_first=case.open_at_first)


def retry(case: Case, *, by: User) -> None:
    """A person asks the desk to try again at once."""
    authority.require(by, Act.RETRY)
    with transaction.atomic():
        log.record(Verb.CASE_RETRIED, by=by, case=case)
        waking.wake(case.pk)


def flagged() -> QuerySet[Case]:
    """The cases that need attention. Asked by since when, because SQLite finds what is not empty
    only by looking at every case there ever was.
    """
    return Case.objects.filter(attention_since__gt=_LONG_AGO)


def set_attention(case: Case, why: str) -> None:
    """Flag or unflag ("") the case for a person; logs only what is new. `DECIDE_AGAIN` stands until
    a manager has, before whatever else is said.
    """
    if case.attention.startswith(DECIDE_AGAIN) and case.state in UNDECIDED_STATES:
        why = f"{DECIDE_AGAIN} {why.removeprefix(DECIDE_AGAIN).strip()}".strip()
    since = clock.now() if why else None
    with transaction.atomic():
        is_new = (
            Case.objects.filter(pk=case.pk)
            .exclude(attention=why)
            .update(attention=why, attention_since=since, version=F("version") + 1)
        )
        if is_new and why:
            log.record(Verb.CASE_ATTENTION, case=case, why=why)
        elif is_new:
            log.record(Verb.CASE_ATTENTION_OVER, case=case)
    case.refresh_from_db(fields=["attention", "attention_since"])
