"""Having a workbook made where the settings say it is, for a company that has none yet."""

from __future__ import annotations

from pathlib import Path

from django.db import transaction

from canceldesk import outside
from canceldesk.accounts.models import User
from canceldesk.cases.authority import Act, require
from canceldesk.cases.log import Verb, record
from canceldesk.configuration import services as configuration
from canceldesk.outside import NotSetUpError
from canceldesk.workbook.errors import ListError, NoWorkbook
from canceldesk.workbook.protocol import ListView
from canceldesk.workbook.rows.pairs import pairs


def missing() -> Path | None:
    """Where a workbook is set, is not, and could be made; None if there is no such place."""
    try:
        outside.the_list().read()
    except NoWorkbook:
        return Path(configuration.text("WORKBOOK_PATH"))
    except (NotSetUpError, ListError):
        return None
    return None


def create_list(*, by: User) -> ListView:
    """Make the workbook with an empty list at the place, with the tab and the headings of the
    settings, and a column for the case's reference; gives the list as it was read back.

    Logged. Raises NotAllowedError unless `by` may change settings, and any ListError: nothing that
    is there is ever replaced.
    """
    # XlsxWriter takes a while to load, and this is done once.
    from canceldesk.workbook import creating

    require(by, Act.CHANGE_SETTINGS)
    path = configuration.text("WORKBOOK_PATH")
    with transaction.atomic():
        record(Verb.LIST_CREATED, by=by, path=path)
        return creating.create_list(
            path,
            tab=configuration.text("WORKBOOK_TAB") or None,
            headings=pairs(configuration.text("WORKBOOK_HEADINGS")),
            currency=configuration.text("CURRENCY"),
            with_reference=True,
        )
