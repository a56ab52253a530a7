"""Findings: reported once while they stand, resolved when a check no longer sees them, settled by a
manager where no check ever will.
"""

from __future__ import annotations

from typing import Any, Final

from django.db import models, transaction
from django.db.models import QuerySet

from canceldesk import clock
from canceldesk.accounts.models import User
from canceldesk.cases import authority, log, waking
from canceldesk.cases import services as cases
from canceldesk.cases.authority import Act
from canceldesk.cases.log import Verb
from canceldesk.cases.models import OPEN_STATES, Case, Finding
from canceldesk.cases.services import CaseError
from canceldesk.clients.models import Client

MOST_HARMFUL_FIRST: Final = (
    Finding.Kind.CHARGED_AFTER_REQUEST,
    Finding.Kind.STILL_BILLING,
    Finding.Kind.SWITCHED_BACK_ON,
    Finding.Kind.OPEN_INVOICE,
    Finding.Kind.ROW_CHANGED,
    Finding.Kind.ROW_TWICE,
    Finding.Kind.NOT_LISTED,
    Finding.Kind.CANCELLED_INSTEAD,
    Finding.Kind.SAVE_LOST,
)
"""Every kind: what takes a client's money, what will, what the list says wrongly, the rest."""

FOR_PEOPLE_TO_SETTLE: Final = (
    Finding.Kind.CHARGED_AFTER_REQUEST,
    Finding.Kind.SWITCHED_BACK_ON,
    Finding.Kind.CANCELLED_INSTEAD,
    Finding.Kind.SAVE_LOST,
)
"""What may stand for good when its case has ended: it is about what has happened, or about a client
who has come back.
"""


def standing() -> QuerySet[Finding]:
    """What is wrong now and not settled, the most harmful first, within a kind the newest."""
    places = [models.When(kind=kind, then=at) for at, kind in enumerate(MOST_HARMFUL_FIRST)]
    harm = models.Case(*places, default=len(places), output_field=models.IntegerField())
    stands = Finding.objects.filter(resolved_at=None, settled_at=None)
    return stands.order_by(harm, "-found_at", "-pk")


def report(
    kind: Finding.Kind,
    key: str,
    sentence: str,
    *,
    case: Case | None = None,
    client: Client | None = None,
    **data: Any,  # noqa: ANN401 - whatever JSON can hold
) -> Finding:
    """Record that something is wrong; seeing the same again only updates when and what, and what is
    settled stays so.
    """
    now = clock.now()
    with transaction.atomic():
        finding, is_new = Finding.objects.get_or_create(
            kind=kind,
            key=key,
            resolved_at=None,
            defaults={
                "case": case,
                "client": client or (case.client if case else None),
                "sentence": sentence,
                "data": data,
                "found_at": now,
                "seen_at": now,
            },
        )
        if is_new:
            log.record(Verb.FINDING_FOUND, case=case, client=client, sentence=sentence)
            _show_on(case)
        else:
            finding.sentence, finding.data, finding.seen_at = sentence, data, now
            finding.save(update_fields=["sentence", "data", "seen_at"])
    return finding


def resolve(kind: Finding.Kind, key: str) -> None:
    """Say that a finding no longer stands; nothing happens when there was none."""
    for finding in Finding.objects.filter(kind=kind, key=key, resolved_at=None):
        with transaction.atomic():
            mine = Finding.objects.filter(pk=finding.pk, resolved_at=None)
            if mine.update(resolved_at=clock.now()):
                log.record(
                    Verb.FINDING_RESOLVED,
                    case=finding.case,
                    client=finding.client,
                    sentence=finding.sentence,
                )
                _show_on(finding.case)


def to_settle(case: Case) -> QuerySet[Finding]:
    """What a manager may settle in a case: only once it has ended, and nothing that the desk itself
    sees put right.
    """
    ended = standing().filter(case=case, kind__in=FOR_PEOPLE_TO_SETTLE)
    return ended.exclude(case__state__in=OPEN_STATES)


def settle(case: Case, *, by: User, finding: Finding, why: str) -> None:
    """A manager sets aside what people have agreed about. The same is not found again; another
    invoice, say, is. What is settled already stays as it is.

    Raises CaseError when it is not there to be settled, NotAllowedError.
    """
    authority.require(by, Act.SETTLE_FINDING)
    if not why.strip():
        raise CaseError("Say why it is settled.")
    with transaction.atomic():
        # The case first, as a pass does: locking in another order may lock both up for good.
        cases.changed(case)
        finding.refresh_from_db()
        if finding.settled_at is not None:
            return
        mine = Finding.objects.filter(pk=finding.pk, resolved_at=None, settled_at=None)
        is_there = to_settle(case).filter(pk=finding.pk).exists()
        if not is_there or not mine.update(settled_at=clock.now()):
            raise CaseError(
                "This cannot be settled by hand: the desk sees by itself when it is put right, or "
                "has seen it already. Look at the case again."
            )
        log.record(
            Verb.FINDING_SETTLED, by=by, case=case, sentence=finding.sentence, why=why.strip()
        )
        waking.wake(case.pk)


def _show_on(case: Case | None) -> None:
    if case is not None:
        cases.changed(case)
