"""One run from its beginning to the oracle's word."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path

import httpx

from tests.chaos import deskdata, oracle
from tests.chaos.coverage import MUST_BE_HIT, Coverage
from tests.chaos.crew import recruit
from tests.chaos.interfaces import MUST_BE_NONE, Crew, Stage
from tests.chaos.keeping import Keeper
from tests.chaos.mischief import Mischief, plan_mischief
from tests.chaos.peace import Look, keep_peace, take_days_off
from tests.chaos.stage import TIME_ZONE, Setting, set_up

KILLS_FOR_FULL_COVERAGE = 200
PATIENCE = 40.0
"""Seconds without any change after which peace has failed."""
PATIENCE_OF_NOBODY = 5.0
"""The same where nobody does what cases wait for."""
BUSY_AT_MOST = 2.5
"""How many times its planned length the busy part may take."""
LAST_LOG = "log-99999.json"
BILLING_DAYS = (31, 32)
HELD_BEYOND = "held beyond the date of a charge"


@dataclass
class Outcome:
    """What a run came to. `violations` are sentences; none means that it was good."""

    seed: int
    database: str
    figures: dict[str, object] = field(default_factory=dict)
    covered: list[str] = field(default_factory=list)
    not_covered: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def report(self) -> str:
        """Everything, for people."""
        lines = [f"{name}: {_told(value)}" for name, value in self.figures.items()]
        lines.append(f"points hit by a kill ({len(self.covered)}): {', '.join(self.covered)}")
        if self.not_covered:
            lines.append(f"points never hit: {', '.join(self.not_covered)}")
        lines += [f"VIOLATION {number}: {one}" for number, one in enumerate(self.violations, 1)]
        lines.append("No violation." if not self.violations else "")
        return "\n".join(lines)

    def line(self) -> str:
        """The run in one line."""
        verdict = f"{len(self.violations)} violations" if self.violations else "good"
        return f"seed {self.seed} on {self.database}: {verdict}, {self.figures.get('kills')}"


def _told(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {count}" for name, count in sorted(value.items()))
    return str(value)


def run(
    folder: Path,
    *,
    seed: int,
    cases: int,
    kills: int,
    database: str,
    workers: int,
    lasts: float,
) -> Outcome:
    """Break everything, make peace, let two months pass, judge. `folder` must not exist."""
    began = time.monotonic()
    outcome = Outcome(seed, database)
    with set_up(folder, seed=seed, cases=cases, database=database, lasts=lasts) as setting:
        coverage = Coverage(random.Random(f"{seed}/coverage"))
        keeper = Keeper(setting, coverage, workers=workers)
        try:
            _open(keeper, setting.stage)
            mischief = Mischief(setting, keeper, plan_mischief(seed, kills=kills, lasts=lasts))
            crew = recruit(setting.stage, cases)
            times = {"opened": _since(began)}
            _be_busy(setting.stage, crew, mischief, lasts)
            times["busy"] = _since(began)
            last = _make_peace(setting, keeper, crew, mischief, outcome)
            times["peace"] = _since(began)
            _let_months_pass(setting.stage, mischief)
            with suppress(deskdata.Unreachable):
                deskdata.copy_log(setting.stage, folder / LAST_LOG)
        finally:
            keeper.close()
        times["billed"] = _since(began)
        outcome.violations += [*filter(None, [mischief.broken]), *keeper.unexpected]
        outcome.violations += _judge(setting.stage)
        times["judged"] = _since(began)
        _count(outcome, setting.stage, keeper, coverage, mischief, last)
        outcome.figures["people"] = crew.figures()
        outcome.violations += [
            f"{count} cases were {name}."
            for name, count in crew.figures().items()
            if name in MUST_BE_NONE and count
        ]
        outcome.figures["seconds after the beginning"] = times
        _demand_that_it_bit(outcome, coverage, kills, sum(keeper.kills.values()))
    return outcome


def _since(began: float) -> float:
    return round(time.monotonic() - began, 1)


def _open(keeper: Keeper, stage: Stage) -> None:
    billsby = keeper.roles[0]
    keeper.start(billsby)
    _wait_for(f"{stage.practice_url}/quirks")
    keeper.run("layout", "layout", [json.dumps([asdict(person) for person in stage.people])])
    keeper.start_all()
    keeper.wait_until_ready()


def _wait_for(url: str) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with suppress(httpx.HTTPError):
            if httpx.get(url, trust_env=False).is_success:
                return
        time.sleep(0.05)
    raise RuntimeError(f"{url} does not answer")


def _be_busy(stage: Stage, crew: Crew, mischief: Mischief, lasts: float) -> None:
    mischief.begin()
    crew.start()
    until = time.monotonic() + lasts * BUSY_AT_MOST
    while time.monotonic() < until and not (crew.is_through() and mischief.is_through()):
        time.sleep(0.2)


def _make_peace(
    setting: Setting, keeper: Keeper, crew: Crew, mischief: Mischief, outcome: Outcome
) -> Look:
    stage = setting.stage
    stage.journal.write("runner", "peace")
    mischief.calm_down()
    keeper.wait_until_ready()
    mischief.clear_faults()
    crew.make_peace()
    outcome.figures[HELD_BEYOND] = take_days_off(
        stage,
        offset=setting.clock.read,
        step=mischief.step_clock,
        night=mischief.night,
        patience=PATIENCE_OF_NOBODY,
    )
    stage.journal.write("runner", "back at work")
    last = keep_peace(
        stage,
        crew.settle,
        offset=setting.clock.read,
        step=mischief.step_clock,
        patience=PATIENCE,
    )
    crew.stop()
    mischief.end()
    return last


def _let_months_pass(stage: Stage, mischief: Mischief) -> None:
    """Past two billing dates of everybody: whoever left and is not stopped would be charged now."""
    for days in BILLING_DAYS:
        mischief.let_billsby_pass(days)
        stage.journal.write("runner", "billing", days=days)
    stage.journal.write("runner", "end")


def _judge(stage: Stage) -> list[str]:
    evidence = oracle.Evidence(
        folder=stage.folder,
        database_url=stage.database_url,
        time_zone=TIME_ZONE,
        agent_limit_minor=stage.agent_limit_minor,
    )
    return [str(violation) for violation in oracle.judge(evidence)]


def _count(
    outcome: Outcome,
    stage: Stage,
    keeper: Keeper,
    coverage: Coverage,
    mischief: Mischief,
    last: Look,
) -> None:
    with suppress(deskdata.Unreachable):
        ends = deskdata.rows(stage, "SELECT state, COUNT(*) FROM cases_case GROUP BY state")
        outcome.figures["cases"] = {str(state): int(number) for state, number in ends}
    outcome.figures["unfinished"] = [" ".join(one) for one in last.unfinished[:20]]
    outcome.figures["kills"] = dict(keeper.kills) | {"in all": sum(keeper.kills.values())}
    outcome.figures["mischief"] = dict(mischief.counted)
    faults = Counter(
        entry["rule"]["kind"] for entry in stage.journal.entries() if entry["what"] == "fault"
    )
    outcome.figures["faults"] = dict(faults)
    outcome.covered = sorted(
        f"{kind}: {name}" for kind, hit in coverage.hit.items() for name in hit
    )
    outcome.not_covered = coverage.missing()
    cpu = {kind: round(seconds) for kind, seconds in keeper.cpu.items()}
    outcome.figures["CPU seconds"] = cpu | {"driver": round(time.process_time())}
    outcome.figures["cases taken over from the killed"] = keeper.takeovers.end()
    outcome.figures["births that found no database"] = keeper.could_not_start
    outcome.figures["points that must be hit"] = sum(map(len, MUST_BE_HIT.values()))


def _demand_that_it_bit(outcome: Outcome, coverage: Coverage, wanted: int, killed: int) -> None:
    """A run in which little went wrong proves little."""
    if killed < wanted:
        outcome.violations.append(f"Only {killed} of {wanted} processes were killed.")
    if wanted < KILLS_FOR_FULL_COVERAGE:
        return
    outcome.violations += [f"No kill hit the point “{one}”." for one in coverage.missing()]
    if not outcome.figures[HELD_BEYOND]:
        outcome.violations.append("No service was held beyond the date of its next charge.")
