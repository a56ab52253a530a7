"""The little that a restore does after the database has changed, so that it can be brought to its
end by whoever comes next when the restore was killed.

Before the database changes, everything that is still to be done lies in one folder, with a plan.
The database itself knows whether it is the restored one: its log says so.
"""

from __future__ import annotations

import datetime as dt
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, OperationalError, connection
from pydantic import BaseModel

from canceldesk import clock, engine
from canceldesk.backup import belongings, files, workbooks
from canceldesk.backup.errors import CannotError
from canceldesk.backup.pending import FOLDER, PLAN
from canceldesk.cases.log import Verb
from canceldesk.cases.models import LogEntry
from canceldesk.engine import place


class Plan(BaseModel):
    """A restore that has been begun; `restore` is its name in the log."""

    restore: str
    file: str
    began_at: dt.datetime


@dataclass(frozen=True)
class Finished:
    """What was done beside the database; sentences, empty where there is nothing to say."""

    key: str = ""
    workbook: str = ""


def folder() -> Path:
    """Where what is still to be done lies."""
    return Path(settings.DATA) / FOLDER


def begin() -> Path:
    """An empty folder for what is to be done; the plan is to be written into it last."""
    discard()
    files.make_folder(folder())
    return folder()


def write(plan: Plan) -> None:
    """Say that from here on the database may be the restored one."""
    files.put(folder() / PLAN, plan.model_dump_json().encode())


def settle() -> str:
    """Bring a restore that was interrupted to its end, or clear it away when the database is still
    the old one; says which, "" when there was none. Raises BackupError.
    """
    plan = _plan()
    if plan is None:
        discard()
        return ""
    began = f"The restore of {plan.file}, begun on {plan.began_at:%Y-%m-%d %H:%M} UTC,"
    if not _is_restored(plan):
        discard()
        return f"{began} was interrupted before anything was changed. The desk is as it was."
    done = finish()
    said = [f"{began} was interrupted and has been finished now.", done.key, done.workbook]
    return " ".join(one for one in said if one)


def finish() -> Finished:
    """Do what is still to be done, and forget the plan. Doing it twice changes nothing more."""
    _throw_queue_away()
    done = Finished(key=_put_key_back(), workbook=_put_workbook_back())
    discard()
    return done


def discard() -> None:
    """Forget what was to be done."""
    # The plan goes first: what is left without one is rubbish.
    with suppress(FileNotFoundError):
        (folder() / PLAN).unlink()
        files.force_folder(folder())
    shutil.rmtree(folder(), ignore_errors=True)


def _plan() -> Plan | None:
    try:
        return Plan.model_validate_json((folder() / PLAN).read_bytes())
    except FileNotFoundError:
        return None


def _is_restored(plan: Plan) -> bool:
    entries = LogEntry.objects.filter(verb=Verb.DESK_RESTORED, data__restore=plan.restore)
    try:
        return entries.exists()
    except OperationalError as problem:
        if "no such table" not in str(problem):
            raise CannotError(f"The database cannot be reached: {problem}.") from problem
        return False
    except DatabaseError:  # damaged, or not set up: surely not the restored one
        return False


def _throw_queue_away() -> None:
    """The engine's queue is of the desk as it was; what is due stands in the database."""
    if connection.vendor == "sqlite":
        queue = place.sqlite_file()
        for left in queue.parent.glob(f"{queue.name}*"):
            left.unlink(missing_ok=True)
    engine.migrate()


def _put_key_back() -> str:
    staged = folder() / belongings.SECRET_KEY
    if staged.exists() and not belongings.is_key_given():
        belongings.put_key_back(staged.read_bytes())
        return ""
    if not staged.exists() and not belongings.is_key_given():
        return (
            "The backup holds no secret key. If the old key is lost, secrets that were saved on "
            "the Settings page must be entered again."
        )
    return ""


def _put_workbook_back() -> str:
    staged = folder() / belongings.WORKBOOK
    if not staged.exists():
        return ""
    return workbooks.put_back(staged.read_bytes(), stamp=files.stamp(clock.now()))
