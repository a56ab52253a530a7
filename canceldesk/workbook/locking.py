"""Who else has the workbook: other workers of the desk, or a person in Excel or LibreOffice."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from canceldesk.workbook.errors import CannotSave, InUse

_POLL_SECONDS: Final = 0.1
_OWNER_NAME_BYTES: Final = 54
_OWNER_WIDE_AT: Final = 55
_ANOTHER_WORKER: Final = "another worker of the desk"


@dataclass(frozen=True)
class Waiting:
    """How long to wait for others, and the clock to wait by (seconds that only grow)."""

    seconds: float
    now: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def until(self, free: Callable[[], bool]) -> bool:
        """Ask `free` until it says yes or the time is over; whether it did."""
        deadline = self.now() + self.seconds
        while not free():
            if self.now() >= deadline:
                return False
            self.sleep(_POLL_SECONDS)
        return True


@contextmanager
def held(path: Path, waiting: Waiting) -> Iterator[None]:
    """Be the only worker of the desk that writes to `path`.

    The lock is the operating system's on a file beside the workbook, so it ends with the process
    that holds it, however that ends. The file itself stays.
    """
    beside = path.with_name(f".{path.name}.canceldesk-lock")
    try:
        file = beside.open("ab")
    except OSError as error:
        raise CannotSave(
            f"The desk may not write in the folder of “{path.name}” ({error.strerror}). "
            "Give it permission to write there."
        ) from error
    with file:
        if not waiting.until(lambda: _locked(file)):
            raise InUse(
                f"“{path.name}” is being written by {_ANOTHER_WORKER}. It will be tried again.",
                by=_ANOTHER_WORKER,
            )
        try:
            yield
        finally:
            _unlock(file)


def wait_until_closed(path: Path, waiting: Waiting) -> None:
    """Wait until nobody has the workbook open, as their programs tell; else raise `InUse`."""
    if waiting.until(lambda: person_inside(path) is None):
        return
    person = person_inside(path)
    if person is not None:
        raise InUse(
            f"“{path.name}” is open on the screen of {person}. Ask them to save and close it; "
            "the row is added then.",
            by=person,
        )


def person_inside(path: Path) -> str | None:
    """Who has the workbook open; None when no program says that anyone has."""
    excel = path.with_name(f"~${path.name}")
    office = path.with_name(f".~lock.{path.name}#")
    for owner_file, read in ((excel, _excel_owner), (office, _office_owner)):
        try:
            return read(owner_file.read_bytes()) or "someone"
        except FileNotFoundError:
            continue
        except OSError:
            return "someone"
    return None


def _excel_owner(data: bytes) -> str:
    """Excel's owner file: a length and the name in one byte a letter, then the same in UTF-16."""
    wide_length = int.from_bytes(data[_OWNER_WIDE_AT : _OWNER_WIDE_AT + 2], "little")
    wide = data[_OWNER_WIDE_AT + 2 :][: wide_length * 2].decode("utf-16-le", "ignore").strip("\0 ")
    narrow = data[1 : 1 + min(data[0], _OWNER_NAME_BYTES)] if data else b""
    return wide or narrow.decode("cp1252", "replace").strip("\0 ")


def _office_owner(data: bytes) -> str:
    """LibreOffice's lock file: `name,account,machine,time,profile;`."""
    name, account, *_rest = [*data.decode("utf-8", "replace").split(","), "", ""]
    return name.strip() or account.strip()


if sys.platform == "win32":  # pragma: no cover - the other half runs where the tests run
    import msvcrt

    def _locked(file: IO[bytes]) -> bool:
        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _unlock(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _locked(file: IO[bytes]) -> bool:
        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _unlock(file: IO[bytes]) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_UN)
