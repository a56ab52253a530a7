"""The last question before anything is changed outside: may this still be done?

Between deciding to write and writing lie waits: for a turn at Billsby, for the workbook's lock,
for a machine that was put to sleep. Whoever holds the right to write (`closing.work`) says here how
to ask for it, and whoever writes (`billsby`, `workbook`) asks at the last moment, so that neither
knows the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Question = Callable[[], object]


def _yes() -> None:
    """What is asked when nobody said whom to ask: the command line writes for a person."""


_question: ContextVar[Question] = ContextVar("go_ahead", default=_yes)


@contextmanager
def asked_of(question: Question) -> Iterator[None]:
    """Inside, `question` is asked before every write; what it raises keeps the write from happening
    and reaches whoever wanted it.
    """
    token = _question.set(question)
    try:
        yield
    finally:
        _question.reset(token)


def question() -> Question:
    """The question as it is to be asked for what begins here, also from another thread."""
    return _question.get()


def assure() -> None:
    """Ask now. Raises what the question raises."""
    _question.get()()
