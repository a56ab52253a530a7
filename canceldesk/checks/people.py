"""Whom a line of the list is about, without guessing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from canceldesk.clients import phones
from canceldesk.clients.models import Client
from canceldesk.clients.spelling import plain
from canceldesk.configuration import services as configuration
from canceldesk.workbook.protocol import ListedRow


def name_key(name: str) -> str:
    """The same for every order and spelling of a name: `Berg, Anna` and `ANNA BERG`."""
    return " ".join(sorted(plain(name).split()))


@dataclass
class People:
    """Every client the desk has ever read, found by name and by phone number."""

    region: str
    names: dict[int, str] = field(default_factory=dict)
    numbers: dict[int, str] = field(default_factory=dict)
    by_name: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    by_number: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    @classmethod
    def now(cls) -> People:
        """As the copy has them, those who are gone included: they make a name ambiguous too."""
        people = cls(configuration.text("PHONE_REGION"))
        for client in Client.objects.all().iterator():
            people._add(client)
        return people

    def _add(self, client: Client) -> None:
        name, number = name_key(client.name), client.phone_e164 or client.phone_digits
        self.names[client.pk], self.numbers[client.pk] = name, number
        self.by_name[name].add(client.pk)
        if number:
            self.by_number[number].add(client.pk)

    def number_key(self, phone: str) -> str:
        """A phone number as clients are found by it; "" for none."""
        return phones.e164(phone, self.region) or phones.digits(phone)

    def certain(self, row: ListedRow) -> int | None:
        """The primary key of the one client a line is about, or None when that is not certain.

        Name and number together decide. A number alone does when the names share a word, a name
        alone when it is the only one and no two numbers contradict each other.
        """
        name, number = name_key(row.name), self.number_key(row.phone)
        named = self.by_name.get(name, set()) if name else set()
        numbered = self.by_number.get(number, set()) if number else set()
        both = named & numbered
        if both:
            return _only(both)
        if numbered:
            words = set(name.split())
            return _only({pk for pk in numbered if words & set(self.names[pk].split())}, numbered)
        return _only({pk for pk in named if not (number and self.numbers[pk])}, named)


def _only(fitting: set[int], among: set[int] | None = None) -> int | None:
    one = len(fitting) == 1 and (among is None or len(among) == 1)
    return next(iter(fitting)) if one else None
