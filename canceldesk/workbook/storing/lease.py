"""A lease on the workbook, for file systems without locks.

A file beside the workbook that only one can create. Who holds it writes a new count into it every
few seconds; who wants it and sees it stand still for long enough, by their own clock that only
grows, takes it over. Nobody's wall clock matters. A holder that was frozen and wakes up finds that
the file is not its own any more.
"""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final

from canceldesk.workbook.storing import exchange
from canceldesk.workbook.storing.companions import companion

RENEWED_EVERY: Final = 5.0
"""Seconds between two renewals."""
STOOD_STILL: Final = 60.0
"""Seconds without one after which the holder counts as dead."""

_seen: dict[Path, tuple[bytes, float]] = {}
"""What a lease file held and when it was first seen so; outlives one attempt to get it."""


class Lease:
    """One worker's lease on the workbook at `path`; `now` gives seconds that only grow."""

    def __init__(self, path: Path, now: Callable[[], float]) -> None:
        self._file = companion(path, "lease")
        self._now = now
        self._token = secrets.token_hex(16)
        self._count = 0
        self._ended = threading.Event()

    def take(self) -> bool:
        """Try once, without waiting. Raises OSError."""
        try:
            descriptor = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
        except FileExistsError:
            self._remove_if_dead()
            return False
        with open(descriptor, "wb") as file:  # noqa: PTH123 - it is open already
            file.write(self._text())
        self._clear()
        threading.Thread(target=self._keep, name="workbook-lease", daemon=True).start()
        return True

    def still_ours(self) -> bool:
        """Whether nobody has taken it over. Raises OSError."""
        try:
            return self._file.read_bytes().startswith(self._token.encode())
        except FileNotFoundError:
            return False

    def release(self) -> None:
        """Let the next one in. Raises OSError."""
        self._ended.set()
        if self.still_ours():
            self._file.unlink()

    def renew(self) -> None:
        """Show that the holder lives. Raises OSError."""
        with self._file.open("r+b") as file:
            if file.read().startswith(self._token.encode()):
                self._count += 1
                file.seek(0)
                file.write(self._text())

    def _keep(self) -> None:
        while not self._ended.wait(RENEWED_EVERY):
            try:
                self.renew()
            except OSError:
                continue  # a share that is away for a moment; `still_ours` tells before it matters

    def _text(self) -> bytes:
        return f"{self._token} {self._count:012}".encode()

    def _clear(self) -> None:
        """Remove what was put aside by a worker that was killed while taking over."""
        for stray in self._file.parent.iterdir():
            if stray.name.startswith(f"{self._file.name}-"):
                stray.unlink(missing_ok=True)

    def _remove_if_dead(self) -> None:
        try:
            found = self._file.read_bytes()
        except FileNotFoundError:
            return
        seen, since = _seen.get(self._file, (None, 0.0))
        if seen != found:
            _seen[self._file] = found, self._now()
            return
        if self._now() - since < STOOD_STILL:
            return
        aside = self._file.with_name(f"{self._file.name}-{self._token}")
        self._file.rename(aside)
        if aside.read_bytes() != found:  # another waiting worker was faster; this lease is fresh
            exchange.move(aside, self._file)
            return
        aside.unlink()
