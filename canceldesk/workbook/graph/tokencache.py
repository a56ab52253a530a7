"""Keeping a person's sign-in in a file that only the desk's own user may read."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import msal


class TokenCacheFile(msal.SerializableTokenCache):  # type: ignore[misc]  # msal has no types
    """msal's cache of tokens kept at `path` with mode 0600, shared by the desk's processes."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        self._read: tuple[int, int] | None = None

    def load(self) -> None:
        """Take over what another process saved since, if anything."""
        try:
            state = self.path.stat()
            if self._read == (state.st_mtime_ns, state.st_size):
                return
            if state.st_mode & 0o077:
                self.path.chmod(0o600)
            self.deserialize(self.path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            self._read = None
            self.deserialize(None)
        except ValueError:
            # A file cut short by a full disk is no sign-in; signing in again writes it anew.
            self._read = None
            self.deserialize(None)
        else:
            self._read = (state.st_mtime_ns, state.st_size)

    def save(self) -> None:
        """Put the file in place, whole, if there is something new."""
        if not self.has_state_changed:
            return
        beside = self.path.with_name(f".{self.path.name}.{secrets.token_hex(4)}")
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(self.serialize())
                file.flush()
                os.fsync(file.fileno())
            beside.replace(self.path)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        state = self.path.stat()
        self._read = (state.st_mtime_ns, state.st_size)
