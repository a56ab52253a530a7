"""What a reply's status means, in errors with a sentence for a person.

Billsby documents no error codes and no error bodies (only some 400s with ``{}``), so the HTTP
status decides, helped by the words Billsby uses; those are kept.
"""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from .errors import (
    BillsbyError,
    Blocked,
    Busy,
    Nonsense,
    NotAuthorised,
    NotFound,
    Refused,
    Unreachable,
)
from .scalars import clean

LONGEST_RETRY_AFTER = 3600.0
"""Seconds. A sillier wish must not put a case to sleep for a week."""

_LONGEST_BODY = 2000
_LONGEST_WORDS = 200
_SPEAKS_OF_BLOCKING = re.compile(
    r"invoice|unpaid|pending|written[\s_-]*off|write[\s_-]*off", re.IGNORECASE
)
_WORDS_KEYS = ("message", "error", "detail", "errors", "title")


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer of Billsby's, read to its end. body: without the API key, should it be echoed."""

    status: int
    body: bytes
    retry_after: float | None = None

    @property
    def text(self) -> str:
        """Give the body as text, shortened, for evidence."""
        return self._whole_text()[:_LONGEST_BODY]

    def words(self) -> str:
        """Give what Billsby says in words, on one line; ``""`` for nothing, ``{}`` and HTML."""
        text = self._whole_text()
        if text.startswith("<"):
            return ""
        with suppress(ValueError, RecursionError):
            text = _said(json.loads(text))
        return " ".join(clean(text).split())[:_LONGEST_WORDS]

    def _whole_text(self) -> str:
        return clean(self.body.decode("utf-8", "replace")).strip()


def _said(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return " ".join(filter(None, map(_said, value)))
    if isinstance(value, dict):
        named = {str(key).casefold(): item for key, item in value.items()}
        known = (said for key in _WORDS_KEYS if (said := _said(named.get(key))))
        return next(known, "") or _said(list(value.values()))
    return ""


def refusal(reply: Reply, doing: str, *, writes: bool) -> BillsbyError:
    """Give the error that a reply other than 2xx stands for.

    doing: the call as the end of a sentence, such as "write off invoice 5VL9-3". writes: whether
    the call changes something, so that a broken answer leaves open whether it did.
    """
    status, text = reply.status, reply.text
    words = reply.words()
    quoted = f" Billsby says: “{words}”" if words else ""
    down_for_a_while = status == HTTPStatus.SERVICE_UNAVAILABLE and reply.retry_after is not None
    if status == HTTPStatus.TOO_MANY_REQUESTS or (down_for_a_while and not writes):
        return Busy(
            f"Billsby is too busy and did not {doing}. Try again later.{quoted}",
            status=status,
            body=text,
            retry_after=reply.retry_after,
        )
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status == HTTPStatus.REQUEST_TIMEOUT:
        return Unreachable(
            f"Billsby could not {doing}: it is out of order (status {status}). "
            f"{what_now(writes=writes)}{quoted}",
            status=status,
            body=text,
            maybe_done=writes,
        )
    if status < HTTPStatus.BAD_REQUEST:
        return Nonsense(
            f"Asked to {doing}, Billsby pointed elsewhere (status {status}), which is not "
            f"followed. Check Billsby's address in the settings. {what_now(writes=writes)}",
            status=status,
            body=text,
            maybe_done=writes,
        )
    return _no(status, text, doing, quoted, writes=writes)


def _no(status: int, text: str, doing: str, quoted: str, *, writes: bool) -> BillsbyError:
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        return NotAuthorised(
            f"Billsby did not accept the API key when asked to {doing}. "
            f"Check the key and the company domain in the settings.{quoted}",
            status=status,
            body=text,
        )
    if status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
        return NotFound(
            f"Billsby found nothing when asked to {doing}. "
            f"Check the ID and, if nothing is ever found, the company domain.{quoted}",
            status=status,
            body=text,
        )
    if status == HTTPStatus.CONFLICT or (writes and _SPEAKS_OF_BLOCKING.search(text)):
        return Blocked(
            f"Billsby won't {doing} because of the client's invoices or the subscription's state. "
            f"Clear what stands open, then try again.{quoted}",
            status=status,
            body=text,
        )
    return Refused(
        f"Billsby refused to {doing} (status {status}). "
        f"Look at it in Billsby's control panel before trying again.{quoted}",
        status=status,
        body=text,
    )


def what_now(*, writes: bool) -> str:
    """Say what to do after an answer that never came or can't be understood."""
    if writes:
        return "It may have happened all the same: read it back before trying again."
    return "Nothing was changed; try again later."


def seconds_to_wait(header: str | None, now: Callable[[], datetime]) -> float | None:
    """Read a ``Retry-After`` header, seconds or an HTTP date, as seconds from now.

    now: gives the present as an aware time. Gives ``None`` when there is nothing to read, never
    less than 0 nor more than LONGEST_RETRY_AFTER.
    """
    text = (header or "").strip()
    if text.isdecimal() and text.isascii():
        # Ten digits already pass the longest wait, and an endless number must not be computed.
        return min(float(text[:10]), LONGEST_RETRY_AFTER)
    try:
        at = parsedate_to_datetime(text)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return min(max((at - now()).total_seconds(), 0.0), LONGEST_RETRY_AFTER)
