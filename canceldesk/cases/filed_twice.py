"""Whether a case may repeat another one of its client, and what each of them is about.

A subscription is in at most one open case, so the other case is always about other services: it
never protects what this one is about.
"""

from __future__ import annotations

from canceldesk.cases.models import OPEN_STATES, Case


def others_open(case: Case) -> list[Case]:
    """The client's other open cases, the oldest first, with what they are about prefetched."""
    others = Case.objects.filter(client=case.client_id, state__in=OPEN_STATES)
    others = others.exclude(pk=case.pk).prefetch_related("scope__subscription")
    return list(others.order_by("pk"))


def what_each_is_about(case: Case, others: list[Case]) -> str:
    """A sentence that tells whoever thinks of a repetition which services are in which case."""
    told = [f"{other.number} is about {_services(other)}" for other in others]
    return f"{'; '.join([*told, f'this case is about {_services(case)}'])}."


def _services(case: Case) -> str:
    scopes = sorted(case.scope.all(), key=lambda scope: scope.pk)
    return " and ".join(str(scope.subscription) for scope in scopes)
