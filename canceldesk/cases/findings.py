"""Findings: reported once while they stand, resolved when a check no longer sees them."""

from __future__ import annotations

from typing import Any, Final

from django.db import models, transaction
from django.db.models import QuerySet

from canceldesk import clock
from canceldesk.cases import log
from canceldesk.cases import services as cases
from canceldesk.cases.log import Verb
from canceldesk.cases.models import Case, Finding
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


def standing() -> QuerySet[Finding]:
    """What is wrong now, the most harmful first, within a kind the newest."""
    places = [models.When(kind=kind, then=at) for at, kind in enumerate(MOST_HARMFUL_FIRST)]
    harm = models.Case(*places, default=len(places), output_field=models.IntegerField())
    return Finding.objects.filter(resolved_at=None).order_by(harm, "-found_at", "-pk")


def report(
    kind: Finding.Kind,
    key: str,
    sentence: str,
    *,
    case: Case | None = None,
    client: Client | None = None,
    **data: Any,  # noqa: ANN401 - whatever JSON can hold
) -> Finding:
    """Record that something is wrong; seeing the same again only updates when and what."""
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


def _show_on(case: Case | None) -> None:
    if case is not None:
        cases.changed(case)
