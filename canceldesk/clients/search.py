"""Finding a client while somebody is on the phone: by name, phone, e-mail or Billsby ID."""

from __future__ import annotations

from django.db.models import Q, QuerySet
from rapidfuzz import fuzz, process

from canceldesk.clients import phones
from canceldesk.clients.models import Client
from canceldesk.configuration import services as configuration

ENOUGH_DIGITS = 4
CLOSE_ENOUGH = 78


def find(query: str, limit: int = 8) -> list[Client]:
    """Clients that fit what was typed, the likeliest first.

    Every word must occur; a number is found by any part of it, however it is written. When
    nothing fits, names that sound alike are offered.
    """
    words = query.casefold().split()
    if not words:
        return []
    there = Client.objects.filter(gone_at=None).prefetch_related("subscriptions", "open_invoices")
    number = _by_phone(there, query)
    if number is not None:
        return list(number[:limit])
    matching = there
    for word in words:
        matching = matching.filter(search_text__contains=word)
    found = sorted(matching[: limit * 5], key=lambda client: _rank(client, query.casefold()))
    return found[:limit] or _alike(there, query, limit)


def _by_phone(there: QuerySet[Client], query: str) -> QuerySet[Client] | None:
    if any(character.isalpha() or character == "@" for character in query):
        return None
    digits = phones.digits(query)
    if len(digits) < ENOUGH_DIGITS:
        return None
    international = phones.e164(query, configuration.text("PHONE_REGION"))
    found = there.filter(
        Q(phone_digits__contains=digits)
        | Q(phone_e164=international or "-")
        | Q(phone_e164__contains=digits)
    )
    return found if found.exists() else None


def _rank(client: Client, typed: str) -> tuple[bool, bool, str]:
    exact = typed in {client.billsby_id.casefold(), client.email.casefold(), client.name.casefold()}
    starts = client.name.casefold().startswith(typed)
    return not exact, not starts, client.name


def _alike(there: QuerySet[Client], query: str, limit: int) -> list[Client]:
    names = dict(there.values_list("pk", "search_text"))
    close = process.extract(
        query.casefold(),
        names,
        scorer=fuzz.partial_token_sort_ratio,
        limit=limit,
        score_cutoff=CLOSE_ENOUGH,
    )
    clients = there.in_bulk([pk for _, _, pk in close])
    return [clients[pk] for _, _, pk in close]
