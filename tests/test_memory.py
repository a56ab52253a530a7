from __future__ import annotations

import ctypes
import os
import platform
import subprocess
import sys

import pytest

from canceldesk import memory

on_glibc = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has arenas")

# Each thread holds memory while the others ask for some, as threads do that work at once.
THREADS = """
import ctypes, sys, threading
from canceldesk import memory
said = memory.share_one_arena() if sys.argv[1] == "shared" else None
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
all_hold = threading.Barrier(12)
def hold():
    libc.malloc(5000)
    all_hold.wait()
threads = [threading.Thread(target=hold) for _ in range(12)]
for thread in threads: thread.start()
for thread in threads: thread.join()
libc.malloc_stats()
print(said)
"""


@on_glibc
def test_threads_share_one_arena() -> None:
    said, arenas = _threads("shared")

    assert said == "True"
    assert arenas == 1


@on_glibc
def test_without_it_there_would_be_more() -> None:
    assert _threads("left alone")[1] > 1


@on_glibc
def test_what_was_set_for_the_process_stays() -> None:
    said, arenas = _threads("shared", MALLOC_ARENA_MAX="5")

    assert said == "False"
    assert arenas == 5


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: pytest.fail("asked a library for arenas"))

    assert not memory.share_one_arena()


def _threads(how: str, **environment: str) -> tuple[str, int]:
    """What was said and how many arenas there are after twelve threads held memory at once."""
    done = _told(THREADS, how, **environment)
    return done.stdout.strip(), done.stderr.count("Arena ")


def _told(code: str, *given: str, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    return subprocess.run(
        [sys.executable, "-c", code, *given],
        env=clean | environment,
        capture_output=True,
        text=True,
        check=True,
    )
