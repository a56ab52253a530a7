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
said = memory.keep_small() if sys.argv[1] == "shared" else None
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


# glibc would take what is smaller than a piece that was freed before from between the small ones.
LARGE = """
import ctypes, sys
from pathlib import Path
from canceldesk import memory
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
def held():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
if sys.argv[1] == "kept small":
    memory.keep_small()
libc.free(libc.malloc(30_000_000))
pieces, small = [], []
for _ in range(50):
    pieces.append(libc.malloc(1_000_000))
    ctypes.memset(pieces[-1], 1, 1_000_000)
    small.append(libc.malloc(100))
before = held()
for piece in pieces:
    libc.free(piece)
print(before - held())
"""


@on_glibc
def test_large_pieces_go_back_to_the_machine() -> None:
    assert int(_told(LARGE, "left alone").stdout) < 10_000_000
    assert int(_told(LARGE, "kept small").stdout) > 40_000_000


# What is freed between two pieces in use, glibc keeps.
BETWEEN = """
import ctypes, sys, time
from pathlib import Path
from canceldesk import memory
memory.keep_small()
memory.GIVE_BACK_SECONDS = 0.01
libc = ctypes.CDLL(None)
libc.malloc.restype = ctypes.c_void_p
libc.free.argtypes = [ctypes.c_void_p]
def held():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
pieces, in_use = [], []
for _ in range(500):
    pieces.append(libc.malloc(100_000))
    ctypes.memset(pieces[-1], 1, 100_000)
    in_use.append(libc.malloc(20_000))  # too large for a hole that was there before
before = held()
for piece in pieces:
    libc.free(piece)
if sys.argv[1] == "given back":
    giving = memory.GivingBack()
    giving.start()
    end = time.monotonic() + 20
    while before - held() < 40_000_000 and time.monotonic() < end:
        time.sleep(0.01)
    giving.end()
    assert not giving.is_alive()
print(before - held())
"""


@on_glibc
def test_what_is_freed_between_two_pieces_in_use_goes_back_too() -> None:
    assert int(_told(BETWEEN, "left alone").stdout) < 10_000_000
    assert int(_told(BETWEEN, "given back").stdout) > 40_000_000


def test_where_the_c_library_cannot_nothing_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: object())
    giving_back = memory.GivingBack()

    giving_back.start()
    giving_back.join(timeout=20)

    assert not giving_back.is_alive()


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    monkeypatch.setattr(platform, "libc_ver", lambda: ("", ""))
    monkeypatch.setattr(ctypes, "CDLL", lambda _name: pytest.fail("asked a library for arenas"))

    assert not memory.keep_small()


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
