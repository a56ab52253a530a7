"""Forks the processes in which stories are told from one that has imported what they need: that
takes longer than most stories. It has read no settings of the desk, so that each process reads its
own. `telling` speaks with it in JSON lines, over its input and output.
"""

from __future__ import annotations

import importlib
import json
import os
import runpy
import sys
import threading

_NEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
_HOW = (os.O_RDONLY, _NEW, _NEW)  # standard input, output and errors
_NEEDED = (
    "billsby_sandbox.app",
    "billsby_sandbox.transport",
    "canceldesk.billsby.client",
    "canceldesk.workbook.creating",
    "canceldesk.workbook.workbooklist",
    "cryptography.fernet",
    "dbos",
    "django.core.management",
    "django.db.models",
    "django.test",
    "openpyxl",
    "phonenumbers",
    "psycopg",
    "rapidfuzz",
)


def main() -> None:
    for name in _NEEDED:
        importlib.import_module(name)
    assert "canceldesk.settings" not in sys.modules
    assert threading.active_count() == 1, threading.enumerate()
    for line in sys.stdin:
        asked = json.loads(line)
        child = os.fork()
        if child == 0:
            _become(**asked)
            return
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)  # noqa: T201


def _become(
    module: str, arguments: list[str], environment: dict[str, str], files: list[str]
) -> None:
    """Be `python -m module arguments` in an environment, with files for input and output."""
    for number, (name, how) in enumerate(zip(files, _HOW, strict=True)):
        opened = os.open(name, how)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
