"""Phone numbers: understood, compared and shown."""

from __future__ import annotations

import unicodedata

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat


def e164(phone: str, region: str) -> str:
    """The number in international form such as +12025550143, or "" when it is not one."""
    number = _parsed(phone, region)
    return phonenumbers.format_number(number, PhoneNumberFormat.E164) if number else ""


def shown(phone: str, region: str) -> str:
    """The number as people in `region` write it; what cannot be understood stays as it came."""
    number = _parsed(phone, region)
    if number is None:
        return phone.strip()
    home = phonenumbers.country_code_for_region(region) == number.country_code
    form = PhoneNumberFormat.NATIONAL if home else PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, form)


def digits(phone: str) -> str:
    """Only the digits, as 0 to 9, for finding a number by a part of it."""
    return "".join(str(unicodedata.decimal(c)) for c in phone if c.isdecimal())


def _parsed(phone: str, region: str) -> phonenumbers.PhoneNumber | None:
    try:
        number = phonenumbers.parse(phone, region)
    except NumberParseException:
        return None
    return number if phonenumbers.is_possible_number(number) else None
