"""What can go wrong with a backup, each as a sentence a person can act on."""

from __future__ import annotations


class BackupError(Exception):
    """A backup or a restore came to nothing; the text says why and what to do."""


class RefusedError(BackupError):
    """It was understood and may not be done as things stand: the desk runs, the file is newer."""


class CannotError(BackupError):
    """Something it needs is missing, damaged or cannot be reached."""


class DamagedError(CannotError):
    """A database or a file does not hold together."""
