"""`python -m tests.chaos.oracle FOLDER`: judge a run that was kept once more."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tests.chaos.oracle import Evidence, judge


def main() -> int:
    """Print every violation; 1 when there is one."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos.oracle", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--database-url", default="", help="the desk's PostgreSQL; else SQLite")
    parser.add_argument("--zone", default="UTC", help="the desk's time zone")
    wanted = parser.parse_args()
    evidence = Evidence(wanted.folder, wanted.database_url, time_zone=wanted.zone)
    found = judge(evidence)
    for violation in found:
        print(violation)  # noqa: T201 - this is what the command is for
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
