"""Reading the bodies of replies, which are JSON in more than one disguise."""

import json
from typing import Any, NoReturn

_SUCCESS_WORDS = frozenset({"", "success", "true"})


class Unreadable(ValueError):
    """What was read is not what Billsby documents; the text says in a few words why."""


def read_json(body: bytes) -> Any:  # noqa: ANN401  any JSON value
    """Give the JSON value in ``body``, looking into a JSON string that itself holds JSON.

    Several replies are typed ``string`` in the published API although they are objects.

    Raises Unreadable when it is not JSON (HTML, a cut-off reply, ``NaN``).
    """
    value = _loads(_text(body))
    if isinstance(value, str) and value.lstrip()[:1] in ("{", "["):
        return _loads(value)
    return value


def says_success(body: bytes) -> bool:
    """Tell whether the reply to a write is one of Billsby's ways to say that it was done.

    ``"success"``, ``"Success"``, ``true``, the bare word as text/plain, ``{}``, and nothing.
    """
    text = _text(body)
    try:
        value = read_json(body)
    except Unreadable:
        value = text
    if value == {}:
        return True
    word = "true" if value is True else value
    return isinstance(word, str) and word.strip().lower() in _SUCCESS_WORDS


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("it is not text") from None


def _loads(text: str) -> Any:  # noqa: ANN401  any JSON value
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Unreadable("it is not JSON") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)
