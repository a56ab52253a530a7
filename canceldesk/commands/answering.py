"""What the commands share: setting Django up, exit codes, words for people, JSON for machines."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any, Final, NoReturn

import typer

if TYPE_CHECKING:
    from canceldesk.accounts.models import User

DONE: Final = 0
REFUSED: Final = 1
CANNOT: Final = 2

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
As = Annotated[
    str,
    typer.Option(
        "--as",
        metavar="EMAIL",
        envvar="CANCELDESK_AS",
        help="Who does it: the e-mail address of a user of the desk.",
    ),
]


def set_up() -> None:
    """Make Django ready; ends the command when the settings cannot be understood."""
    from canceldesk.configuration.reading import BadSettingError, check_all_given

    try:
        check_all_given()
    except BadSettingError as problem:
        cannot(str(problem))
    import django
    from django.conf import settings

    from canceldesk import processlog

    processlog.configure(logging.WARNING)
    if not settings.configured:
        # Whatever another project left in this shell does not concern the desk.
        os.environ["DJANGO_SETTINGS_MODULE"] = "canceldesk.settings"
    django.setup()


def refuse(sentence: str, *, as_json: bool = False) -> NoReturn:
    """End the command: it was understood, and may not or cannot be done as things stand."""
    _end(sentence, REFUSED, as_json=as_json)


def cannot(sentence: str, *, as_json: bool = False) -> NoReturn:
    """End the command: something it needs is not set up or cannot be reached."""
    _end(sentence, CANNOT, as_json=as_json)


def _end(sentence: str, code: int, *, as_json: bool) -> NoReturn:
    if as_json:
        say_json({"done": False, "sentence": sentence})
    else:
        typer.echo(sentence, err=True)
    raise typer.Exit(code)


def say_json(value: Any) -> None:  # noqa: ANN401 - whatever JSON can hold
    """Print a value for machines; dates in ISO form."""
    typer.echo(json.dumps(value, indent=2, default=str, ensure_ascii=False))


@contextmanager
def answering(*, as_json: bool = False, migrated: bool = True) -> Iterator[None]:
    """Set Django up, and turn what goes wrong inside into a sentence and an exit code.

    With `migrated`, the command ends at once when the database is not set up.
    """
    set_up()
    from django.db import DatabaseError

    from canceldesk.accounts.services import UserProblemError
    from canceldesk.billsby.errors import BillsbyError
    from canceldesk.cases.authority import NotAllowedError
    from canceldesk.cases.services import CaseError
    from canceldesk.configuration.reading import BadSettingError
    from canceldesk.outside import NotSetUpError
    from canceldesk.workbook.errors import ListError

    try:
        if migrated:
            _check_migrated()
        yield
    except (NotAllowedError, CaseError, UserProblemError) as refusal:
        refuse(str(refusal), as_json=as_json)
    except (NotSetUpError, BillsbyError, ListError, BadSettingError) as problem:
        cannot(str(problem), as_json=as_json)
    except DatabaseError as problem:
        cannot(f"The database cannot be used: {problem}", as_json=as_json)


def _check_migrated() -> None:
    from django.db import connection

    from canceldesk.outside import NotSetUpError

    if "cases_case" not in connection.introspection.table_names():
        raise NotSetUpError(
            "The database is not set up yet. Run `canceldesk migrate`, or `canceldesk serve`."
        )


def user(email: str) -> User:
    """The user with that address; refuses when there is none."""
    from canceldesk.accounts.models import User

    found = User.objects.filter(email__iexact=email.strip()).first()
    if found is None:
        refuse(f"There is no user with the address {email}.")
    return found
