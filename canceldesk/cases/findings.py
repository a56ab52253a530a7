"""Findings: reported once while they stand, resolved when a check no longer sees them."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from canceldesk import clock
from canceldesk.cases import log
from canceldesk.cases import services as cases
from canceldesk.cases.log import Verb
from canceldesk.cases.models import Case, Finding
from canceldesk.clients.models import Client


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
