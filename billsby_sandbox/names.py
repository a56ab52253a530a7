"""Invented people and places for the seed."""

from __future__ import annotations

FIRST_NAMES = (
    "Abel", "Adela", "Bianca", "Bruno", "Carmen", "Cedric", "Daria", "Desmond", "Edith", "Elias",
    "Farah", "Felix", "Gloria", "Grant", "Hanna", "Harvey", "Ines", "Isaac", "Jasmine", "Joel",
    "Kara", "Keith", "Lydia", "Lionel", "Marisol", "Milton", "Noemi", "Nolan", "Opal", "Oscar",
)  # fmt: skip
LAST_NAMES = (
    "Aldridge", "Barrow", "Cantwell", "Delacroix", "Eastman", "Fairbanks", "Gallardo", "Hollis",
    "Ivarsson", "Jessup", "Kowalczyk", "Lockhart", "Mbeki", "Northrup", "Ostrander", "Pryce",
    "Quintana", "Rourke", "Stavros", "Thackeray", "Underhill", "Valdez", "Wexford", "Yamada",
)  # fmt: skip
STREETS = ("Maple Avenue", "Harbor Road", "Second Street", "Juniper Lane", "Mill Court")
TOWNS = (
    ("Springfield", "IL", "62701"),
    ("Riverton", "WY", "82501"),
    ("Fairview", "NJ", "07022"),
    ("Georgetown", "TX", "78626"),
    ("Clinton", "MS", "39056"),
)
PHONE_FORMS: tuple[tuple[str, str | None, str | None], ...] = (
    ("{area}555{number}", "1", "USA"),
    ("({area}) 555-{number}", "1", "USA"),
    ("{area}-555-{number}", "+1", "USA"),
    ("{area}.555.{number}", "1", "US"),
    ("+1 {area} 555 {number}", None, None),
    ("1{area}555{number}", "1", "USA"),
)
"""How clients' numbers come out of real books: the format, the dial code, the country."""
