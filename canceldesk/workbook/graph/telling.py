"""Graph's problems as the list's errors: sentences a person can act on, without Microsoft's words,
tokens or links.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, Protocol

from canceldesk.workbook.errors import (
    CannotEdit,
    CannotPlace,
    CannotRead,
    CannotSave,
    InUse,
    ListError,
    ReadBackDiffers,
)
from canceldesk.workbook.graph.problems import (
    Held,
    NotReached,
    Problem,
    Refused,
    SignInProblem,
    Throttled,
)

SOMEONE: Final = "someone in Excel"

_BY_CODE: Final = {
    "filteredrangeconflict": "a filter is on. Clear the filter in Excel, or use a view of your own",
    "insertdeleteconflict": "something is in the way there, such as another table or merged cells. "
    "Make room in Excel",
    "nonblankcelloffsheet": "the tab is used down to its last row. Clear what stands at its end",
    "unsupportedworkbook": "the workbook holds something Excel for the web cannot work with, or is "
    "too large for it. Open it in Excel for the web to see what",
    "invalidsessionunsupportedworkbook": "the workbook holds something Excel for the web cannot "
    "work with, or is too large for it. Open it in Excel for the web to see what",
}
"""Plain words for codes of the page “Error handling for Excel APIs”; each ends in what to do."""


class Changing(Protocol):
    """Something that knows whether the workbook may have been changed by now."""

    @property
    def maybe_changed(self) -> bool:
        """Whether a call that changes may have had its effect."""
        ...


@contextmanager
def in_words(changing: Changing, file: str, what: str) -> Iterator[None]:
    """Raise what goes wrong while a row is `what` (“added”, “removed”) as the list's errors."""
    try:
        yield
    except Problem as problem:
        if changing.maybe_changed:
            raise unknown(problem, file, what) from None
        raise nothing_written(problem, file, what) from None
    except (CannotRead, CannotPlace) as error:
        raise lost_sight(error, changing.maybe_changed, what) from None


def reading(problem: Problem, file: str) -> ListError:
    """Why the list could not be read."""
    return _passing(CannotRead(f"“{file}” could not be read: {_why(problem)}."), problem)


def nothing_written(problem: Problem, file: str, what: str) -> ListError:
    """Why the row was not `what` (“added”, “removed”) when it is certain that nothing was."""
    sentence = f"The row was not {what} in “{file}”: {_why(problem)}. Nothing was written."
    if isinstance(problem, Held):
        return InUse(sentence, by=SOMEONE)
    if isinstance(problem, Refused):
        return CannotEdit(sentence)
    return _passing(CannotSave(sentence), problem)


def _passing(error: ListError, problem: Problem) -> ListError:
    error.passing = not isinstance(problem, Refused | SignInProblem)
    return error


def unknown(problem: Problem, file: str, what: str) -> ListError:
    """The row may have been `what` or not."""
    return ReadBackDiffers(
        f"It is not known whether the row was {what} in “{file}”: {_why(problem)}. The desk looks "
        "at the list again before it does anything more; look there yourself if this stays."
    )


def lost_sight(error: ListError, maybe_written: bool, what: str) -> ListError:
    """What to say when the list could no longer be seen: `error` itself while nothing was written,
    whose sentence may claim so.
    """
    if not maybe_written:
        return error
    why = error.sentence.replace(" Nothing was written.", "")
    return ReadBackDiffers(
        f"The row may have been {what}, but then the list could not be read back. {why}"
    )


def _why(problem: Problem) -> str:
    if isinstance(problem, SignInProblem):
        return problem.sentence.rstrip(".")
    if isinstance(problem, NotReached):
        return "Microsoft 365 could not be reached. Check the network; it is tried again"
    if isinstance(problem, Throttled):
        return "Microsoft 365 asks the desk to wait for longer than it may. It is tried again later"
    if isinstance(problem, Held):
        return (
            "someone else has it locked. Ask whoever has it open in the Excel app, or checked out, "
            "to close it or check it in"
        )
    if isinstance(problem, Refused):
        return _refused(problem)
    return "Microsoft 365 did not answer as it should. It is tried again"


def _refused(problem: Refused) -> str:
    known = _BY_CODE.get(problem.code.casefold())
    if known is not None:
        return known
    if problem.status == 404:  # noqa: PLR2004 - not found
        return (
            "there is no such workbook, or it is not shared with the desk. Check the link under "
            "Settings → Workbook and who may see the file"
        )
    if problem.status == 403:  # noqa: PLR2004 - forbidden
        return (
            "Microsoft 365 does not allow it. Give the desk's app, or the person it is signed in "
            "as, the right to edit the file"
        )
    return f"Microsoft 365 refuses it ({problem.code or problem.status}). Tell an admin"
