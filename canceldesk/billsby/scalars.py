"""Single values as Billsby writes them: times, money, IDs, texts.

Each reader takes any JSON value and gives the typed one, or raises ``ValueError`` with a few
words why not. It never quotes the value, which may be a client's.
"""

import json
import re
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Annotated, Any

from pydantic import BeforeValidator

_TIME = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})"
    r"(?:[T ](?P<time>\d{2}:\d{2}:\d{2})(?:\.(?P<fraction>\d{1,9}))?)?"
    r"(?P<zone>Z|[+-]\d{2}:?\d{2})?",
    re.IGNORECASE | re.ASCII,
)
_WHOLE = re.compile(r"[+-]?\d{1,15}", re.ASCII)
_NO_LETTER = re.compile("[\x00\ud800-\udfff]")


def read_time(value: object) -> datetime | None:
    """Give an aware UTC time; ``None`` for null and the empty text.

    Billsby writes ``2019-08-29T09:40:27.590Z`` in lists and ``2020-12-21T15:59:19.095789``,
    without a zone and said to be UTC, in details and webhooks. Digits beyond microseconds are
    dropped; a day alone is its midnight in UTC.
    """
    if value is None or value == "":
        return None
    match = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError("not a date")
    fraction = (match["fraction"] or "")[:6].ljust(6, "0")
    clock_time = f"{match['day']}T{match['time'] or '00:00:00'}.{fraction}"
    try:
        return (
            datetime.fromisoformat(clock_time).replace(tzinfo=_zone(match["zone"])).astimezone(UTC)
        )
    except (ValueError, OverflowError):
        raise ValueError("not a date") from None


def _zone(text: str | None) -> timezone:
    if text is None or text in "Zz":
        return UTC
    sign = -1 if text.startswith("-") else 1
    hours, minutes = int(text[1:3]), int(text[-2:])
    return timezone(sign * timedelta(hours=hours, minutes=minutes))


def read_minor(value: object) -> int | None:
    """Give an amount in minor units; ``None`` for null and the empty text.

    Billsby documents money as an integer x100 ("$30.10 is 3010") and types some of the same
    amounts as strings ("440"); by that rule a string of digits is minor units too. An amount
    with a decimal point breaks the rule, and whether "14.46" then means 1446 or 14 could only be
    guessed, so it is refused: a wrong guess is wrong by a factor of a hundred.
    """
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        raise ValueError("not an amount")
    if isinstance(value, int):
        return value
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        return int(value)
    raise ValueError("not an amount in whole minor units")


def read_amount(value: object) -> int:
    """Give an amount that must be there, in minor units; see :func:`read_minor`."""
    minor = read_minor(value)
    if minor is None:
        raise ValueError("it is missing")
    return minor


def read_count(value: object) -> int | None:
    """Give a whole number that Billsby writes as integer or string; ``None`` for null or empty."""
    if value is None or value == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and _WHOLE.fullmatch(value.strip()):
        return int(value)
    raise ValueError("not a whole number")


def clean(text: str) -> str:
    """Give a text without what JSON can say and no database can store: NUL and halves of pairs
    (lone surrogates).
    """
    return _NO_LETTER.sub("", text)


def read_text(value: object) -> str:
    """Give a text, :func:`clean` and without the space around it; integers become text, null
    becomes ``""``.
    """
    if value is None:
        return ""
    if isinstance(value, str):
        return clean(value).strip()
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise ValueError("not a text")


def read_total(value: object) -> int | None:
    """Give a total of Billsby's own, or None when it is not clear what unit it is in.

    Such totals are only ever compared with what the invoices add up to, so an unclear one must
    not hide the rest of the reply.
    """
    with suppress(ValueError):
        return read_minor(value)
    return None


def read_id(value: object) -> str:
    """Give an ID that must be there.

    Billsby's unique IDs are texts; its integers are internal numbers that no call takes.
    """
    if not isinstance(value, str) or not clean(value).strip():
        raise ValueError("it is missing")
    return clean(value).strip()


def read_optional_id(value: object) -> str | None:
    """Give an ID that may be absent."""
    return None if value is None or value == "" else read_id(value)


def read_mapping(value: object) -> dict[str, Any]:
    """Give an object, also one written as a JSON text; anything else stands under ``value``.

    For the data of log events, which Billsby documents no further: an odd one hides no other.
    """
    if value is None or value == "":
        return {}
    if isinstance(value, str):
        with suppress(ValueError, RecursionError):
            value = json.loads(value)
    return value if isinstance(value, dict) else {"value": value}


Time = Annotated[datetime | None, BeforeValidator(read_time)]
Minor = Annotated[int | None, BeforeValidator(read_minor)]
Total = Annotated[int | None, BeforeValidator(read_total)]
Amount = Annotated[int, BeforeValidator(read_amount)]
Count = Annotated[int | None, BeforeValidator(read_count)]
Text = Annotated[str, BeforeValidator(read_text)]
Id = Annotated[str, BeforeValidator(read_id)]
OptionalId = Annotated[str | None, BeforeValidator(read_optional_id)]
Mapping = Annotated[dict[str, Any], BeforeValidator(read_mapping)]
