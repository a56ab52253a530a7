"""Cases that another part of the desk keeps an eye on, so that nothing is found twice."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from canceldesk.cases.models import Case, State
from canceldesk.closing.models import Watch


def under_watch() -> QuerySet[Case]:
    """Cases that are closing, and closed ones whose watch goes on."""
    watched = Q(state=State.CLOSED, watch__result=Watch.Result.WATCHING)
    return Case.objects.filter(Q(state=State.CLOSING) | watched)
