"""`python -m tests.chaos`: break everything on purpose, then ask the oracle what became of it."""

from __future__ import annotations

import argparse
import datetime as dt
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos.running import Outcome, run

DATABASES = ("sqlite", "postgresql")
CASES_PER_SECOND = 3.0


def main() -> int:
    """Run the chaos as asked; gives the exit code."""
    wanted = _arguments()
    databases = DATABASES if wanted.database == "both" else (wanted.database,)
    seeds = range(1, wanted.seeds + 1) if wanted.seed is None else [wanted.seed]
    outcomes = [_one(wanted, seed, database) for seed in seeds for database in databases]
    for outcome in outcomes:
        _say(outcome.line())
    return 1 if any(outcome.violations for outcome in outcomes) else 0


def _one(wanted: argparse.Namespace, seed: int, database: str) -> Outcome:
    folder = Path(wanted.folder or tempfile.mkdtemp(prefix="chaos-")) / f"{database}-{seed}"
    lasts = wanted.lasts or max(20.0, wanted.cases / CASES_PER_SECOND)
    repeat = (
        f"python -m tests.chaos --seed {seed} --cases {wanted.cases} --kills {wanted.kills}"
        f" --database {database} --workers {wanted.workers}"
        + (f" --lasts {wanted.lasts:g}" if wanted.lasts else "")
    )
    _say(f"== seed {seed} on {database}, {dt.datetime.now(tz=dt.UTC):%H:%M:%S} UTC: {repeat}")
    outcome = run(
        folder,
        seed=seed,
        cases=wanted.cases,
        kills=wanted.kills,
        database=database,
        workers=wanted.workers,
        lasts=lasts,
    )
    _say(outcome.report())
    if outcome.violations or wanted.keep:
        _say(f"Everything is kept in {folder}")
    else:
        shutil.rmtree(folder)
    return outcome


def _say(words: str) -> None:
    print(words, flush=True)  # noqa: T201 - this is what the command is for


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, help="run this seed alone")
    parser.add_argument("--seeds", type=int, default=1, help="run the seeds from 1 to this")
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("--kills", type=int, default=200, help="at least so many SIGKILLs")
    parser.add_argument("--database", choices=[*DATABASES, "both"], default="both")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--lasts", type=float, help="seconds of the busy part; else by the cases")
    parser.add_argument("--folder", help="where to keep the runs; else a temporary folder")
    parser.add_argument("--keep", action="store_true", help="keep the folder of a good run, too")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
