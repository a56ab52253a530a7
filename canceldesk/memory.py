"""Keeping a process small that serves for months."""

from __future__ import annotations

import ctypes
import os
import platform

_M_ARENA_MAX = -8  # glibc's malloc.h


def share_one_arena() -> bool:
    """Have all threads take their memory from one place; gives whether that could be said.

    glibc keeps up to eight arenas per processor, and what a thread has freed in one of them no
    thread of another can use: a desk with thirty threads grew by 13 % in 4,000 closings, with two
    arenas by 14 % in 8,000, while its objects did not. Waiting for each other costs such threads
    little, as only one at a time runs Python. Must come before the threads. What whoever runs the
    desk has set themselves (MALLOC_ARENA_MAX) stays; other C libraries have no such arenas.
    """
    if "MALLOC_ARENA_MAX" in os.environ or not _is_glibc():
        return False
    return bool(ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 1))


def _is_glibc() -> bool:
    return platform.libc_ver()[0] == "glibc"
