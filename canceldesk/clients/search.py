"""Finding a client while somebody is on the phone: by name, phone, e-mail or Billsby ID."""

from __future__ import annotations

from functools import reduce
from operator import and_

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When
from rapidfuzz import fuzz, process

from canceldesk.clients import phones
from canceldesk.clients.models import Client
from canceldesk.clients.spelling import plain
from canceldesk.configuration import services as configuration

ENOUGH_DIGITS = 4
ENOUGH_DIGITS_IN_A_WORD = 3
WHOLE_NUMBER_DIGITS = 7
ENOUGH_LETTERS = 3
CLOSE_ENOUGH = 77
LONGEST_QUERY = 100
MOST_WORDS = 8
MOST_SHOWN = 8


def find(query: str, limit: int = MOST_SHOWN) -> list[Client]:
    """Clients that fit what was typed, the likeliest first, with their subscriptions.

    When nothing fits, names that are nearly alike are offered.
    """
    found = list(matching(query).prefetch_related("subscriptions")[:limit])
    return found or alike(query, limit)


def matching(query: str) -> QuerySet[Client]:
    """Every client that fits, the likeliest first. Each typed word must occur in the name,
    e-mail address, Billsby ID or phone number; a number is found by any part of it, however it
    is written.
    """
    typed = plain(query[:LONGEST_QUERY])
    words = typed.split()[:MOST_WORDS]
    if not words:
        return Client.objects.none()
    fits = reduce(and_, (_has_word(word) for word in words))
    number = _has_number(query)
    if number is not None:
        fits |= number
    found = Client.objects.filter(fits, gone_at=None)
    return found.alias(rank=_rank(query, typed, words)).order_by(
        "rank", "last_name", "first_name", "billsby_id"
    )


def _has_word(word: str) -> Q:
    has = Q(search_text__contains=word)
    if word.isdecimal() and len(word) >= ENOUGH_DIGITS_IN_A_WORD:
        has |= Q(phone_digits__contains=word)
    return has


def _has_number(query: str) -> Q | None:
    if any(character.isalpha() or character == "@" for character in query):
        return None
    digits = phones.digits(query)
    if len(digits) < ENOUGH_DIGITS:
        return None
    has = Q(phone_digits__contains=digits) | Q(phone_e164__contains=digits)
    if len(digits) >= WHOLE_NUMBER_DIGITS:
        # People abroad write 020 ... for what Billsby keeps as +44 20 ...
        has |= Q(phone_e164__contains=digits.lstrip("0")) if digits.strip("0") else Q()
        international = phones.e164(query, configuration.text("PHONE_REGION"))
        has |= Q(phone_e164=international) if international else Q()
    return has


def _rank(query: str, typed: str, words: list[str]) -> Case:
    exact = query.replace("\0", "").strip()  # which PostgreSQL would refuse as a text
    digits = phones.digits(query)
    cases = [
        When(Q(billsby_id__iexact=exact) | Q(email__iexact=exact), then=Value(0)),
        When(search_text__startswith=f" {typed} ", then=Value(1)),
        When(search_text__startswith=f" {typed}", then=Value(2)),
        When(reduce(and_, (Q(search_text__contains=f" {word}") for word in words)), then=Value(4)),
    ]
    if digits:
        cases.insert(3, When(phone_digits__endswith=digits, then=Value(3)))
    return Case(*cases, default=Value(5), output_field=IntegerField())


def alike(query: str, limit: int) -> list[Client]:
    """Clients whose names are nearly what was typed, the nearest first."""
    typed = plain(query[:LONGEST_QUERY])
    if sum(character.isalpha() for character in typed) < ENOUGH_LETTERS:
        return []
    there = Client.objects.filter(gone_at=None)
    names = {pk: _name_in(text) for pk, text in there.values_list("pk", "search_text")}
    near = process.extract(
        typed,
        names,
        scorer=fuzz.partial_token_sort_ratio,
        limit=limit,
        score_cutoff=CLOSE_ENOUGH,
    )
    clients = there.prefetch_related("subscriptions").in_bulk([pk for _, _, pk in near])
    return [clients[pk] for _, _, pk in near if pk in clients]


def search_text(name: str, email: str, billsby_id: str) -> str:
    """What a client's row keeps for the search: every word begins after a space, and a bar,
    which nobody can type, ends the name.
    """
    return f" {plain(name)} | {plain(email)} {plain(billsby_id)}"


def _name_in(text: str) -> str:
    return text.partition("|")[0].strip()
