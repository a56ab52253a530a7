"""What was in the tables before fits what the code expects now."""

from __future__ import annotations

import datetime as dt
import importlib

import pytest
from django.apps import apps

from canceldesk import clock
from canceldesk.cases.models import State
from canceldesk.closing.models import Intent, WriteOffApproval
from tests.factories import make_case, make_user

MIGRATION = "canceldesk.closing.migrations.0005_approvals_that_are_used_up"
pytestmark = pytest.mark.django_db


def test_approvals_of_what_is_written_off_already_are_used_up() -> None:
    case, by = make_case(state=State.CLOSING), make_user()
    done_at = clock.now()
    afterwards = done_at + dt.timedelta(minutes=5)
    words = [("DONE-1", done_at), ("SENT-1", done_at), ("DONE-1", afterwards)]
    for number, at in words:
        WriteOffApproval.objects.create(
            case=case, invoice_number=number, amount_minor=1, currency="USD", by=by, at=at
        )
    for number, state in (("DONE-1", Intent.State.CONFIRMED), ("SENT-1", Intent.State.SENT)):
        Intent.objects.create(
            case=case,
            kind=Intent.Kind.WRITE_OFF,
            target=number,
            state=state,
            created_at=done_at,
            sent_at=done_at,
            confirmed_at=done_at if state == Intent.State.CONFIRMED else None,
        )

    importlib.import_module(MIGRATION).use_up(apps, None)

    used = list(WriteOffApproval.objects.values_list("used_at", flat=True))
    assert used == [done_at, None, None]
