"""What a process of the chaos becomes after it was forked: a real one, with a few things bent.

Its clock follows the run's clock file, the workbook's disk can be full, and points are put
around its work. Then the ordinary command line runs.
"""

from __future__ import annotations

import ctypes
import datetime as dt
import errno
import gc
import mmap
import os
import signal
import struct
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from tests.chaos import hooks
from tests.chaos.points import Points, Trigger

_PR_SET_PDEATHSIG = 1
FEW_COLLECTIONS = 20_000
"""Objects between two collections of garbage; children do not live long."""
_SECONDS = struct.Struct("d")


@dataclass(frozen=True)
class Birth:
    """What a child is to be. `kind`: worker, web, billsby or layout; `arguments` are those of
    its command line; `skew` is how many seconds its clock goes before everybody's; processes of
    another `machine` cannot see that it has died.
    """

    name: str
    kind: str
    folder: Path
    arguments: list[str] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    triggers: Mapping[str, Trigger] = field(default_factory=dict)
    skew: float = 0.0
    machine: str = "machine-0"


class ClockFile:
    """How far the run's clock has been put from the real one, in seconds, for all processes."""

    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(_SECONDS.pack(0.0))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _SECONDS.size)

    def read(self) -> float:
        """The offset now."""
        return float(_SECONDS.unpack_from(self._map)[0])

    def set(self, seconds: float) -> None:
        """Put everybody's clock."""
        _SECONDS.pack_into(self._map, 0, seconds)


def become(birth: Birth) -> None:
    """Turn this freshly forked process into the child; never returns."""
    code = 1
    try:
        _stand_alone(birth)
        _bend_clock(birth)
        _bend_disk(birth.folder)
        _bend_machine(birth.machine)
        if birth.kind != "layout":
            kept = birth.folder / "points" / f"{birth.name}.txt"
            hooks.hang_in(Points(kept, birth.triggers), birth.kind)
        code = _run(birth)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _stand_alone(birth: Birth) -> None:
    """A session, a log and surroundings of its own; it ends with the nursery."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setsid()
    kept = birth.folder / "logs" / f"{birth.name}.log"
    log = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, source in ((0, nothing), (1, log), (2, log)):
        os.dup2(source, descriptor)
    os.closerange(3, 64)
    os.environ.update(birth.environment)
    time.tzset()
    gc.set_threshold(FEW_COLLECTIONS)


class _Offset:
    """Stands for the desk's own offset to the real time: what the clock file says just then."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds

    def __radd__(self, moment: dt.datetime) -> dt.datetime:
        return moment + dt.timedelta(seconds=self._seconds())


def _bend_clock(birth: Birth) -> None:
    """`canceldesk.clock` and what DBOS reads follow the clock file; waits (monotonic) do not."""
    from canceldesk import clock

    file, real_time = ClockFile(birth.folder / "clock"), time.time

    def seconds() -> float:
        return file.read() + birth.skew

    if birth.kind != "billsby":
        clock._offset = _Offset(seconds)  # type: ignore[assignment]
        time.time = lambda: real_time() + seconds()


def _bend_machine(name: str) -> None:
    from canceldesk.engine import processes

    processes._here = lambda: name.replace("-", "")  # type: ignore[assignment]


def _bend_disk(folder: Path) -> None:
    """While the file `disk-full` is there, half of a new workbook fits on the disk."""
    from canceldesk.workbook.storing import saving

    flag = folder / "disk-full"

    def opened(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        made = open(file, mode, *args, **kwargs)  # noqa: PTH123, SIM115 - stands for open
        return _FullDisk(made) if "x" in mode and flag.exists() else made

    saving.open = opened  # type: ignore[attr-defined]


class _FullDisk:
    """A file of which the disk takes only the first half."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def __enter__(self) -> _FullDisk:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, data: bytes) -> int:
        self._file.write(data[: len(data) // 2])
        self._file.flush()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _run(birth: Birth) -> int:
    if birth.kind == "layout":
        from tests.chaos.layout import lay_out

        lay_out(birth.arguments)
        return 0
    if birth.kind == "billsby":
        from billsby_sandbox.cli import app as billsby

        billsby(["serve", *birth.arguments], standalone_mode=True)
        return 0
    from canceldesk.cli import app

    app([birth.kind, *birth.arguments], standalone_mode=True)
    return 0
