"""Keeping a process small that serves for months."""

from __future__ import annotations

import ctypes
import os
import platform

ARENAS = 2
_M_ARENA_MAX = -8  # glibc's malloc.h


def share_arenas() -> bool:
    """Have all threads take their memory from two places; gives whether that could be said.

    glibc lets up to eight threads per processor keep an arena each, and what a thread has freed
    there no other can use: a desk with thirty threads grew by a tenth in 4,000 closings while its
    objects did not. Must come before the threads. What whoever runs the desk has set themselves
    (MALLOC_ARENA_MAX) stays; other C libraries have no such arenas.
    """
    if "MALLOC_ARENA_MAX" in os.environ or platform.libc_ver()[0] != "glibc":
        return False
    return bool(ctypes.CDLL(None).mallopt(_M_ARENA_MAX, ARENAS))
