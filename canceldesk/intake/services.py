"""How requests arrive. A request is stored whatever Billsby does meanwhile."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from concurrent.futures import Future
from dataclasses import dataclass
from threading import Thread

import structlog
from django.db import DataError

from canceldesk import clock, outside
from canceldesk.accounts.models import User
from canceldesk.billsby import Billsby, BillsbyError
from canceldesk.cases import authority
from canceldesk.cases import services as cases
from canceldesk.cases.authority import Act
from canceldesk.cases.models import Case, Channel, Reason, Wish
from canceldesk.cases.services import CaseError
from canceldesk.clients import refreshing
from canceldesk.clients.models import Client
from canceldesk.clients.refreshing import Reading

PATIENCE_SECONDS = 8.0
"""How long somebody on the phone waits for Billsby before the desk goes on with its copy."""

FRESH = dt.timedelta(minutes=2)
"""A copy this young need not be read again: it was read when the client was picked."""

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Filed:
    """A stored request. `is_new` is False when the same form had been posted before;
    `problem` says in a sentence why Billsby could not be read just before, "" when it could.
    """

    case: Case
    is_new: bool
    problem: str = ""


def look(client: Client) -> str:
    """Bring the copy of a client up to date from Billsby; "" or, as a sentence, why it could
    not be. Waits PATIENCE_SECONDS at most and never raises for what happens outside.
    """
    try:
        reading = _reading(outside.billsby(), client.billsby_id).result(PATIENCE_SECONDS)
    except TimeoutError:
        return f"Billsby has not answered within {PATIENCE_SECONDS:.0f} seconds."
    except (BillsbyError, outside.NotSetUpError, ValueError) as problem:
        return str(problem)
    return _kept(client, reading)


def _kept(client: Client, reading: Reading) -> str:
    """Store what was read; "" or, as a sentence, that it could not be. A copy that cannot be stored
    keeps nobody's request from it.
    """
    try:
        refreshing.keep(client, reading)
    except (DataError, OverflowError, ValueError):
        logger.exception("copy_not_kept", client=client.billsby_id)
        return "What Billsby says of this client could not be stored."
    return ""


def _reading(billsby: Billsby, billsby_id: str) -> Future[Reading]:
    """A call to Billsby may last a minute with its repeats, which is too long for a caller on
    the phone, so it goes on by itself in a thread that nobody has to wait for.
    """
    answer: Future[Reading] = Future()

    def read() -> None:
        try:
            answer.set_result(refreshing.read(billsby, billsby_id))
        except Exception as problem:
            answer.set_exception(problem)

    Thread(target=read, name="billsby-reading", daemon=True).start()
    return answer


def read_now(client: Client) -> str:
    """Bring the copy up to date as `look` does, unless that was done just now."""
    return "" if is_fresh(client) else look(client)


def is_fresh(client: Client) -> bool:
    """Whether the copy of a client's subscriptions, with their next charge, was read just now."""
    read_at = [one.details_read_at for one in client.subscriptions.all()]
    oldest = clock.now() - FRESH
    return bool(read_at) and all(at is not None and at >= oldest for at in read_at)


def file_by_form(
    *,
    by: User,
    client: Client,
    subscription_ids: Collection[int],
    wish: Wish,
    channel: Channel,
    reason: Reason,
    reason_words: str = "",
    note: str = "",
    received_at: dt.datetime | None = None,
    form_token: str,
) -> Filed:
    """Store a wish that somebody typed into the form. `subscription_ids` are primary keys.

    Billsby is read first, unless that was done just now, so that the next charge is right; when
    it does not answer, the case is stored from the copy all the same. The same `form_token`
    for the same subscriptions gives the same case. Raises what `cases.services.file_request`
    raises.
    """
    authority.require(by, Act.FILE)
    posted = cases.posted_before(form_token, subscription_ids)
    if posted is not None:
        return Filed(posted, is_new=False)
    problem = read_now(client)
    subscriptions = list(client.subscriptions.filter(pk__in=subscription_ids))
    if len(subscriptions) != len(set(subscription_ids)):
        raise CaseError("A chosen subscription belongs to another client. Choose again.")
    case = cases.file_request(
        by=by,
        client=client,
        subscriptions=subscriptions,
        wish=wish,
        channel=channel,
        reason=reason,
        reason_words=reason_words,
        note=note,
        received_at=received_at,
        form_token=form_token,
        is_read_now=not problem,
    )
    return Filed(case, is_new=True, problem=problem)
