"""What some text settings must look like beyond being text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from canceldesk.workbook.protocol import FIELDS
from canceldesk.workbook.rows.pairs import pairs, written

_DOMAIN = re.compile(r"[a-z0-9][a-z0-9_-]*", re.ASCII | re.IGNORECASE)
_CURRENCY = re.compile(r"[a-z]{3}", re.ASCII | re.IGNORECASE)
_MAIL = re.compile(r"[^@\s<>,;]+@[^@\s<>,;]+")
_MOST_PORT = 65535


@dataclass(frozen=True)
class Format:
    """`check` gives the text in its normal form or raises ValueError; `wanted` finishes the
    sentence "must be ...".
    """

    check: Callable[[str], str]
    wanted: str


def _time_zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, OSError) as problem:
        raise ValueError(text) from problem
    return text


def _phone_region(text: str) -> str:
    from phonenumbers import SUPPORTED_REGIONS

    if text.upper() not in SUPPORTED_REGIONS:
        raise ValueError(text)
    return text.upper()


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
        raise ValueError(text)
    return text


def _billsby_url(text: str) -> str:
    import httpx

    try:
        address = httpx.URL(_web_address(text))
    except httpx.InvalidURL as problem:
        raise ValueError(text) from problem
    if not address.host or address.query or address.fragment or any(map(str.isspace, text)):
        raise ValueError(text)
    return text


def _company_domain(text: str) -> str:
    if not _DOMAIN.fullmatch(text):
        raise ValueError(text)
    return text


def _api_key(text: str) -> str:
    if not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError("not one word")  # never the text: it is a secret
    return text


def _currency(text: str) -> str:
    if not _CURRENCY.fullmatch(text):
        raise ValueError(text)
    return text.upper()


def _mail_address(text: str) -> str:
    if not _MAIL.fullmatch(text):
        raise ValueError(text)
    return text


def _host_and_port(text: str) -> str:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 1 <= int(port) <= _MOST_PORT:
        raise ValueError(text)
    return text


def _headings(text: str) -> str:
    found = {field.casefold(): heading for field, heading in pairs(text).items()}
    if not set(found) <= set(FIELDS):
        raise ValueError(text)
    return written(found)


def _fill(text: str) -> str:
    return written(pairs(text))


def _maybe_empty(check: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: check(text) if text else text


_ADDRESS = "an address that starts with https://"
_TEXT = Format(str, "one line of text")
_FORMATS = {
    "TIME_ZONE": Format(_time_zone, "a time zone such as America/New_York"),
    "PHONE_REGION": Format(_phone_region, "a two-letter country such as US"),
    "CURRENCY": Format(_currency, "three letters such as USD"),
    "BILLSBY_URL": Format(_billsby_url, _ADDRESS),
    "BILLSBY_DOMAIN": Format(_maybe_empty(_company_domain), "one word such as widgets"),
    "BILLSBY_API_KEY": Format(
        _maybe_empty(_api_key), "one word of plain letters, digits and signs, without spaces"
    ),
    "BILLSBY_PANEL_URL": Format(_web_address, _ADDRESS),
    "PUBLIC_URL": Format(_maybe_empty(_web_address), _ADDRESS),
    "LISTEN": Format(_host_and_port, "an address and port such as 127.0.0.1:8000"),
    "WORKBOOK_HEADINGS": Format(
        _headings,
        "written like name=Client; phone=Mobile no, with the names name, phone, cancelled_on, "
        "collected, months, reason and reference, each once",
    ),
    "WORKBOOK_FILL": Format(_fill, "written like Status=Cancelled; Entered by=Cancel Desk"),
    "MAIL_FROM": Format(_maybe_empty(_mail_address), "an e-mail address"),
}


def checked(name: str, text: str) -> str:
    """The text of setting `name` in its normal form; raises ValueError if it is not like that."""
    return _FORMATS.get(name, _TEXT).check(text)


def wanted(name: str) -> str:
    """What the setting's text must be, to finish the sentence "must be ..."."""
    return _FORMATS.get(name, _TEXT).wanted
