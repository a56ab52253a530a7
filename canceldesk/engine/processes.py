"""What this process is called, and which processes of this machine have died.

The name is the executor's in the engine and the owner's of a lease: host, machine, process number,
chance. A process number says nothing anywhere but in the machine, and in the container, where it
was given; so the name carries a mark of both.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
import uuid
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NUMBERING = Path("/proc/self/ns/pid")
_HOST_SHOWN = 40


def executor_id() -> str:
    """A name for this process that no other has or had."""
    return f"{socket.gethostname()[:_HOST_SHOWN]}-{_here()}-{os.getpid()}-{secrets.token_hex(2)}"


def is_dead(executor: str) -> bool:
    """Whether this was a process of this machine that is no more. False when that cannot be known:
    then its lease decides.
    """
    parts = executor.rsplit("-", 3)
    if len(parts) != len(("host", "here", "number", "chance")):
        return False
    _, here, number, _ = parts
    if here != _here() or not (number.isascii() and number.isdigit()):
        return False
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return False


@lru_cache(maxsize=1)
def _here() -> str:
    """The same for all processes that see each other's numbers, since the machine was started."""
    marks = [f"{uuid.getnode():x}"]
    with suppress(OSError):
        marks = [_BOOT.read_text(encoding="ascii").strip(), str(_NUMBERING.stat().st_ino)]
    return hashlib.sha256(" ".join(marks).encode()).hexdigest()[:8]
