"""Everybody who acts in a run: staff at the pages, a person at the panel, one with the workbook,
and the post between Billsby and the desk.
"""

from __future__ import annotations

import heapq
import itertools
import random
import threading
import time
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from tests.chaos.asked import do_what_is_asked
from tests.chaos.bookkeeper import Bookkeeper
from tests.chaos.errands import AGENT, MANAGER, Company, Errand, Step, Ways, script
from tests.chaos.interfaces import Stage
from tests.chaos.panel_person import PanelPerson
from tests.chaos.plan import Plan, make_plan
from tests.chaos.post import Post
from tests.chaos.staff import NotNow, Staff

HANDS = 5
"""How many things people do at once."""
TRIES = 12
"""After so many tries something is left until the mischief is over."""
TRIES_IN_PEACE = 40
"""After so many tries in peace a step is given up, unless nothing goes on without it."""
LOOK_AGAIN = 1.0
_COMES_BACK_AFTER = (1.0, 3.0)
"""Seconds until somebody looks again whose pages did not answer."""
_PAUSES = (0.5, 0.8, 1.5, 2.5)
"""Seconds until the next try, by how many tries there were."""
_MOST_IN_A_ROUND = 3


def recruit(stage: Stage, cases: int) -> People:
    """A crew for a stage whose clients were laid out by the plan of its seed."""
    return People(stage, make_plan(stage.seed, cases))


class People:
    """The crew of a run; see `interfaces.Crew`."""

    def __init__(self, stage: Stage, plan: Plan) -> None:
        rng = random.Random(f"{stage.seed}/crew")
        self._stage = stage
        self._rng = rng
        self._ways = Ways(
            offers_suspended_while_paused=plan.quirks["suspend_offered_while_paused"] == "yes",
            pause_lifted_by_call=plan.quirks["pause_lifted_by_false"] == "yes",
        )
        self._company = Company(
            {role: self._staff(role) for role in (AGENT, MANAGER)},
            PanelPerson(stage),
            Bookkeeper(stage, random.Random(f"{stage.seed}/bookkeeper")),
        )
        self._post = Post(stage, random.Random(f"{stage.seed}/post"))
        self._errands = self._planned(plan)
        self._agenda = Agenda()
        self._hands = [threading.Thread(target=self._work, daemon=True) for _ in range(HANDS)]
        self._books = threading.Thread(target=self._company.bookkeeper.work, daemon=True)
        self._looked: dict[str, float] = {}
        self._counted: Counter[str] = Counter()

    def start(self) -> None:
        """Begin to file and to decide, by the plan."""
        self._post.start()
        began = time.monotonic()
        for errand in self._errands:
            self._agenda.put(began + errand.planned.begins * self._stage.lasts_seconds, errand)
        for thread in (*self._hands, self._books):
            thread.start()

    def is_through(self) -> bool:
        """Whether everything that belongs to the busy part has been done, or left for peace."""
        return self._agenda.is_empty

    def make_peace(self) -> None:
        """End the mischief that people make; what they have begun they finish."""
        self._agenda.close()
        self._company.bookkeeper.go_home()
        for thread in (*self._hands, self._books):
            thread.join()
        self._company.bookkeeper.tidy()
        self._post.calm()
        for errand in self._errands:
            errand.tries = 0

    def settle(self) -> int:
        """One round of what people owe; how many things were done."""
        now = time.monotonic()
        unseen = [one for one in self._errands if self._is_to_be_seen(one, now)]
        with ThreadPoolExecutor(HANDS) as hands:
            return sum(hands.map(self._settle, unseen))

    def stop(self) -> None:
        """Look a last time at what was not over when it was last seen; end all threads and close
        the post.
        """
        for errand in self._errands:
            if errand.case and not errand.is_over:
                with suppress(NotNow):
                    page = self._company.one(MANAGER, errand).look(errand.case)
                    errand.is_over = page.is_over
        self._agenda.close()
        self._post.stop()
        self._company.panel.close()
        for person in itertools.chain(*self._company.staff.values()):
            person.close()

    def figures(self) -> dict[str, int]:
        """How often each step was done, how many wishes could never be filed, and how many cases
        are not over for people.
        """
        unfiled = sum(not errand.case for errand in self._errands)
        left = sum(not errand.is_over for errand in self._errands)
        return dict(self._counted) | {"never filed": unfiled, "not over for people": left}

    def _staff(self, role: str) -> list[Staff]:
        people = self._stage.of_role(role)
        return [
            Staff(self._stage, person, random.Random(f"{self._stage.seed}/{person.email}"))
            for person in people
        ]

    def _planned(self, plan: Plan) -> list[Errand]:
        clients = {client.id: client for client in self._stage.clients}
        by_key: dict[str, Errand] = {}
        for case in plan.cases:
            before = by_key.get(case.after)
            steps = script(case, self._ways)
            by_key[case.key] = Errand(case, clients[case.client], steps, before)
        return list(by_key.values())

    # the busy part

    def _work(self) -> None:
        while (errand := self._agenda.take()) is not None:
            wait = self._take_a_step(errand)
            self._agenda.done(None if wait is None else time.monotonic() + wait, errand)

    def _take_a_step(self, errand: Errand) -> float | None:
        """Try the next step; the seconds until the one after it, None for nothing more now."""
        if self._try(errand, errand.steps[0]):
            following = errand.steps[0] if errand.steps else None
            if following is None or following.in_peace:
                return None
            return self._rng.uniform(*following.after)
        if errand.waits_for_pages:
            return self._rng.uniform(*_COMES_BACK_AFTER)
        if errand.tries >= TRIES:
            return None
        return _PAUSES[min(errand.tries, len(_PAUSES)) - 1]

    def _try(self, errand: Errand, step: Step) -> bool:
        """Whether it is done. That nobody answers does not count as a try: pages come back."""
        errand.waits_for_pages = False
        try:
            is_done = step.do(self._company, errand)
        except NotNow as problem:
            is_done = False
            errand.waits_for_pages = problem.nobody_answers
            self._counted["nobody answered"] += problem.nobody_answers
            if not problem.nobody_answers:
                self._tell("not_now", errand, step=step.name, why=str(problem))
        except Exception:
            is_done = False
            self._tell("stumbled", errand, step=step.name, why=traceback.format_exc())
            self._counted["stumbled"] += 1
        if is_done:
            errand.steps.popleft()
            errand.tries = 0
            self._counted[step.name] += 1
        else:
            errand.tries += not errand.waits_for_pages
        return is_done

    def _tell(self, what: str, errand: Errand, **facts: str) -> None:
        self._stage.journal.write("crew", what, key=errand.planned.key, case=errand.case, **facts)

    # peace

    def _is_to_be_seen(self, errand: Errand, now: float) -> bool:
        if errand.is_over and not errand.steps:
            return False
        return now - self._looked.get(errand.planned.key, 0.0) >= LOOK_AGAIN

    def _settle(self, errand: Errand) -> int:
        self._looked[errand.planned.key] = time.monotonic()
        done = 0
        while errand.steps and done < _MOST_IN_A_ROUND and self._try(errand, errand.steps[0]):
            done += 1
        if errand.steps and errand.tries >= TRIES_IN_PEACE and not errand.steps[0].is_needed:
            self._tell("given_up", errand, step=errand.steps.popleft().name)
            self._counted["given up"] += 1
            errand.tries = 0
        if done or not errand.case:
            return done
        with suppress(NotNow):
            return do_what_is_asked(self._company, errand, self._ways)
        return 0


class Agenda:
    """Errands by the moment at which something is to be done about them."""

    def __init__(self) -> None:
        self._due: list[tuple[float, int, Errand]] = []
        self._count = itertools.count()
        self._under_way = 0
        self._changed = threading.Condition()
        self._is_closed = False

    @property
    def is_empty(self) -> bool:
        """Whether nothing is due any more, nor being done."""
        with self._changed:
            return not self._due and not self._under_way

    def put(self, due: float, errand: Errand) -> None:
        """Something about an errand is to be done at a moment."""
        with self._changed:
            heapq.heappush(self._due, (due, next(self._count), errand))
            self._changed.notify()

    def take(self) -> Errand | None:
        """The next errand, once it is due; None after `close`."""
        with self._changed:
            while not self._is_closed:
                wait = self._due[0][0] - time.monotonic() if self._due else None
                if wait is not None and wait <= 0:
                    self._under_way += 1
                    return heapq.heappop(self._due)[2]
                self._changed.wait(wait)
        return None

    def done(self, due: float | None, errand: Errand) -> None:
        """What was taken is done for now; it is due again at a moment, or not."""
        with self._changed:
            self._under_way -= 1
            if due is not None:
                self.put(due, errand)

    def close(self) -> None:
        """Let nobody take anything any more."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
