"""Everything that can happen to cases, the list and Billsby, in any order.

Each rule tells in a plain sentence what happens, so that a story that fails can be read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from structlog.processors import format_exc_info

from billsby_sandbox import faults
from canceldesk.cases.models import Case, Decision, Wish
from canceldesk.clients.refreshing import refresh_all
from canceldesk.closing.models import Facts
from tests.model import draws
from tests.model.judging.wrong import Verdict, Wrong, wrong_unless
from tests.model.peace import Peace
from tests.model.people import AtTheDesk, AtThePanel, AtTheWorkbook, Post
from tests.model.world import SECRET, Stage, World

UNDECIDED = {"new", "retention"}
UNFORESEEN = {"pass_failed", "pass_broke", "refresh_broke"}


class Machine(RuleBasedStateMachine):
    """One world and all that can happen in it."""

    stage: Stage

    def __init__(self) -> None:
        super().__init__()
        self.is_broken = False
        self.world = World(self.stage)
        self.desk = AtTheDesk(self.world)
        self.panel = AtThePanel(self.world)
        self.workbook = AtTheWorkbook(self.world)
        self.post = Post(self.world)
        self.world.company.set_webhook("http://desk.test", SECRET, self.post.deliver)
        self.states: set[str] = set()

    # telling

    def tell(self, sentence: str) -> None:
        note(f"    {sentence.rstrip('.')}.")

    @contextmanager
    def happening(self) -> Iterator[None]:
        """Marks the story as broken when what happens inside breaks a promise."""
        with structlog.testing.capture_logs(processors=[format_exc_info]) as said:
            try:
                yield
                self.world.judge.always()
                self.states = set(Case.objects.values_list("state", flat=True))
                broke = [one for one in said if one["event"] in UNFORESEEN]
                wrong_unless(not broke, f"The desk came upon something unforeseen: {broke}")
            except Verdict as verdict:
                self.is_broken = True
                raise Wrong(str(verdict)) from None
            except BaseException:
                self.is_broken = True
                raise

    def one(self, which: int) -> Case:
        """One of the cases, newest first: stories are mostly about the newest."""
        cases = self.world.cases()[::-1]
        return cases[which % len(cases)]

    def a_subscription(self, which: int) -> str:
        return self.uids[which % len(self.uids)]

    def an_invoice(self, which: int) -> str:
        numbers = [invoice.number for invoice in self.world.company.invoices()][::-1]
        return numbers[which % len(numbers)]

    # how it begins

    @initialize(
        quirks=draws.ACCOUNT,
        settings=st.lists(
            st.sampled_from(draws.SETTINGS), unique_by=lambda pair: pair[0], max_size=3
        ),
        has_reference=st.booleans(),
        people=st.lists(draws.SOMEONE, min_size=1, max_size=2),
    )
    def begins(self, quirks, settings, has_reference, people):
        with self.happening():
            self.world.the_list.has_reference = has_reference
            for name, value in quirks:
                is_no_pause = (name, value) in draws.NO_STOP_BY_PAUSING
                if is_no_pause and ("suspend_offered", "no") in quirks:
                    continue  # neither way to stop for now would be left
                self.world.company.set_quirk(name, value)
                self.tell(f"In this account {name} is {value}")
            for name, value in settings:
                self.tell(self.desk.set(name, value))
            self.uids: list[str] = []
            for number, someone in enumerate(people):
                self.enter(number, someone)

    def enter(self, number: int, someone: draws.Someone) -> None:
        company = self.world.company
        uid = ("NORA", "OMAR")[number]
        names = ("Nora", "Field") if number == 0 or someone.is_twin else ("Omar", "Reed")
        phone = "2025550143" if number == 0 or someone.is_twin else "2025550187"
        began = self.world.now - dt.timedelta(days=100)
        company.add_customer(
            *names, uid=uid, phone_number=phone, card_good=someone.pays, created_at=began
        )
        mine = [f"{uid}{place}" for place in range(1, someone.services + 1)]
        for one in mine:
            company.add_subscription(
                uid,
                uid=one,
                status=someone.status,
                created_at=began,
                next_billing_at=self.world.now + dt.timedelta(days=someone.charged_in_days),
            )
            company.add_invoice(uid, 9900, "Paid", subscription_uid=one, created_at=began)
        for owner, amount, status in someone.owes:
            company.add_invoice(
                uid,
                amount,
                status,
                subscription_uid=None if owner == 2 else mine[owner % len(mine)],
                created_at=self.world.now - dt.timedelta(days=3),
            )
        self.uids += mine
        self.tell(f"{' '.join(names)} is {uid}: {someone}")
        if someone.asked:
            wish = Wish.CANCEL if someone.asked == "cancel" else Wish.SUSPEND
            self.tell(self.desk.file(uid, mine, wish))
            if someone.asked != "filed":
                self.tell(self.desk.decide(self.one(0), Decision(someone.asked)))

    # people at the desk

    @rule(which=draws.WHICH, both=st.booleans(), wish=st.sampled_from(list(Wish)))
    def an_agent_files(self, which, both, wish):
        with self.happening():
            uid = self.a_subscription(which)
            customer = self.world.company.subscription(uid).customer_uid
            all_of_them = [one for one in self.uids if one.startswith(customer)]
            self.tell(self.desk.file(customer, all_of_them if both else [uid], wish))

    @precondition(lambda self: self.states & UNDECIDED)
    @rule(which=draws.WHICH)
    def a_manager_tries_to_keep(self, which):
        with self.happening():
            self.tell(self.desk.tries_to_keep(self.one(which)))

    @precondition(lambda self: self.states & UNDECIDED)
    @rule(
        which=draws.WHICH,
        decision=st.sampled_from([Decision.SUSPEND, Decision.CANCEL, Decision.RETAINED]),
    )
    def a_manager_decides(self, which, decision):
        with self.happening():
            self.tell(self.desk.decide(self.one(which), decision))

    @precondition(lambda self: "closing" in self.states)
    @rule(which=draws.WHICH)
    def a_manager_takes_it_back(self, which):
        with self.happening():
            self.tell(self.desk.take_back(self.one(which)))

    @precondition(lambda self: self.states & UNDECIDED)
    @rule(which=draws.WHICH, by_manager=st.booleans())
    def somebody_withdraws(self, which, by_manager):
        with self.happening():
            self.tell(self.desk.withdraw(self.one(which), by_manager=by_manager))

    @precondition(lambda self: "closing" in self.states)
    @rule(which=draws.WHICH, by_manager=st.booleans(), unclear_too=st.booleans())
    def somebody_approves(self, which, by_manager, unclear_too):
        with self.happening():
            case = self.one(which)
            self.tell(self.desk.approve(case, by_manager=by_manager, unclear_too=unclear_too))

    @precondition(lambda self: "closing" in self.states)
    @rule(which=draws.WHICH, service=st.integers(0, 1))
    def an_agent_releases_the_hold(self, which, service):
        with self.happening():
            case = self.one(which)
            uids = sorted(case.scope.values_list("subscription__billsby_id", flat=True))
            self.tell(self.desk.release_hold(case, uids[service % len(uids)]))

    @precondition(lambda self: self.states & {"closing", "closed"})
    @rule(which=draws.WHICH, what=st.sampled_from(["retry", "rewrite_row", "take_off_list"]))
    def somebody_asks_for(self, which, what):
        with self.happening():
            self.tell(getattr(self.desk, what)(self.one(which)))

    @rule(setting=st.sampled_from(draws.OTHER_WAYS))
    def an_admin_changes(self, setting):
        with self.happening():
            self.tell(self.desk.set(*setting))

    @rule(sought=st.sampled_from(draws.SOUGHT))
    def an_agent_looks_somebody_up(self, sought):
        with self.happening():
            self.tell(self.desk.look_up(sought))

    # people in Billsby's control panel

    @rule(which=draws.WHICH)
    def a_person_suspends(self, which):
        with self.happening():
            self.tell(self.panel.suspend(self.a_subscription(which)))

    @rule(which=draws.WHICH, what=st.sampled_from(["activate", "cancel"]))
    def a_person_changes_a_status(self, which, what):
        with self.happening():
            self.tell(getattr(self.panel, what)(self.a_subscription(which)))

    @rule(which=draws.WHICH, days=st.sampled_from([None, 1, 30, 90]), pause=st.booleans())
    def a_person_moves_a_bill_date(self, which, days, pause):
        with self.happening():
            self.tell(self.panel.move_bill_date(self.a_subscription(which), days, pause=pause))

    @rule(which=draws.WHICH, what=st.sampled_from(["write_off", "paid_offline", "reattempt"]))
    def a_person_settles_an_invoice(self, which, what):
        with self.happening():
            self.tell(getattr(self.panel, what)(self.an_invoice(which)))

    # people at the workbook

    @precondition(lambda self: self.world.the_list.rows)
    @rule(
        place=draws.WHICH,
        cells=st.sampled_from(
            [
                {"months": 77},
                {"collected_minor": 1},
                {"name": "Nora F."},
                {"cancelled_on": dt.date(2026, 1, 1)},
                {"cancelled_on": None},
                {"reason": "no more money"},
            ]
        ),
    )
    def a_person_edits_a_row(self, place, cells):
        with self.happening():
            self.tell(self.workbook.edit(place % len(self.world.the_list.rows), **cells))

    @precondition(lambda self: self.world.the_list.rows)
    @rule(place=draws.WHICH, what=st.sampled_from(["delete", "repeat"]))
    def a_person_changes_the_list(self, place, what):
        with self.happening():
            place %= len(self.world.the_list.rows)
            self.tell(getattr(self.workbook, what)(place))

    @precondition(lambda self: Facts.objects.exists())
    @rule(other=st.sampled_from([{}, {"months": 77}, {"cancelled_on": dt.date(2026, 1, 1)}]))
    def a_person_writes_a_row(self, other):
        with self.happening():
            newest = Facts.objects.latest("pk")
            self.tell(self.workbook.write(newest.case, **other))

    @rule(trouble=st.sampled_from([None, *draws.TROUBLES]))
    def the_workbook_is_or_is_not_free(self, trouble):
        with self.happening():
            self.world.the_list.trouble = trouble
            self.tell(trouble.sentence[:-1] if trouble else "The workbook is free")

    @rule()
    def somebody_keeps_a_copy(self):
        with self.happening():
            self.world.the_list.keep_a_copy()
            self.tell(f"Somebody keeps a copy of the list ({len(self.world.the_list.rows)} rows)")

    @precondition(lambda self: self.world.the_list.copies)
    @rule(copy=draws.WHICH)
    def somebody_puts_a_copy_back(self, copy):
        with self.happening():
            self.tell(self.workbook.put_back(copy))

    # Billsby

    @rule(call=st.sampled_from(draws.CALLS), fault=draws.FAULT)
    def billsby_will_fail(self, call, fault):
        with self.happening():
            method, path = call
            self.world.company.add_fault(method=method, path=path, **fault)
            self.world.judge.of_billsby.hindered()
            self.tell(f"Some calls {method} {path} will go wrong: {draws.told(fault)}")

    @rule(how=st.sampled_from(["503", "refuse"]))
    def billsby_goes_down(self, how):
        with self.happening():
            self.world.company.set_down(how)
            self.tell("Billsby is down")

    @rule()
    def billsby_is_well(self):
        with self.happening():
            self.world.company.clear_faults()
            self.world.company.set_down("no")
            self.tell("Billsby is well")

    @rule()
    def webhooks_come(self):
        with self.happening():
            self.tell(f"{self.world.company.deliver_webhooks()} webhooks come")

    @rule(which=draws.WHICH)
    def a_webhook_comes_again(self, which):
        with self.happening():
            self.tell(self.post.once_more(which))

    @rule(which=draws.WHICH, knows_the_secret=st.booleans())
    def a_webhook_is_forged(self, which, knows_the_secret):
        with self.happening():
            uid = self.a_subscription(which)
            customer = self.world.company.subscription(uid).customer_uid
            self.tell(self.post.forge(uid, customer, knows_the_secret=knows_the_secret))

    @precondition(lambda self: self.states)
    @rule(which=draws.WHICH)
    def people_do_what_is_asked(self, which):
        with self.happening():
            Peace(self.world, self.tell).people_act(self.one(which))

    # workers and time

    @precondition(lambda self: self.states)
    @rule()
    def the_workers_do_what_is_due(self):
        with self.happening():
            self.tell(f"The workers make {self.world.make_due_passes()} passes that are due")

    @rule()
    def all_clients_are_read(self):
        with self.happening():
            may_fail = self.is_hindered()
            run = refresh_all(self.world.billsby)
            self.tell(f"A worker reads all {run.clients} clients. {run.problem}")
            wrong_unless(may_fail or not run.problem, f"A refresh went wrong: {run.problem}")

    @precondition(lambda self: self.states)
    @rule(which=draws.WHICH)
    def a_worker_makes_a_pass(self, which):
        with self.happening():
            case = self.one(which)
            worker = self.world.make_pass(case)
            did = "makes a pass over" if worker.made_a_pass else "finds somebody else at"
            self.tell(f"{worker.name} {did} {case.number}: {self.says(case)}")

    def says(self, case: Case) -> str:
        case.refresh_from_db()
        return f"{case.state}. {case.waits_sentence}"[:-1]

    @precondition(lambda self: self.states)
    @rule(which=draws.WHICH, dies_at=draws.POINT)
    def a_worker_is_killed(self, which, dies_at):
        with self.happening():
            case = self.one(which)
            worker = self.world.make_pass(case, dies_at=dies_at)
            end = f"is killed {worker.stopped_at}" if worker.is_dead else "comes to its end"
            self.tell(f"{worker.name} begins a pass over {case.number} and {end}")

    @precondition(lambda self: self.states and len(self.world.sleepers) < 2)
    @rule(which=draws.WHICH, sleeps_at=draws.POINT)
    def a_worker_falls_asleep(self, which, sleeps_at):
        with self.happening():
            case = self.one(which)
            sleeper = self.world.begin_pass(case, sleeps_at=sleeps_at)
            if sleeper.is_asleep:
                self.world.judge.of_billsby.hindered()
            end = f"falls asleep {sleeper.stopped_at}" if sleeper.is_asleep else "comes to its end"
            self.tell(f"{sleeper.name} begins a pass over {case.number} and {end}")

    @precondition(lambda self: self.world.sleepers)
    @rule(which=st.integers(0, 1), to_die=st.booleans())
    def the_sleeper_wakes(self, which, to_die):
        with self.happening():
            sleeper = self.world.sleepers[which % len(self.world.sleepers)]
            self.world.judge.of_billsby.hindered()
            self.world.end_sleep(sleeper, to_die=to_die)
            end = "goes on to its end" if sleeper.made_a_pass else "finds the case taken over"
            self.tell(
                f"{sleeper.name} {'is killed in its sleep' if to_die else f'wakes and {end}'}"
            )

    @precondition(lambda self: self.world.sleepers)
    @rule(which=st.integers(0, 1))
    def another_takes_over(self, which):
        with self.happening():
            sleeper = self.world.sleepers[which % len(self.world.sleepers)]
            self.world.let_pass(draws.SPANS["two minutes"])
            case = Case.objects.get(pk=sleeper.case_id)
            worker = self.world.make_pass(case)
            self.tell(
                f"Two minutes later {worker.name} takes {case.number} over from {sleeper.name}: "
                f"{self.says(case)}"
            )

    @rule(
        span=st.sampled_from(list(draws.SPANS)), workers_run=st.booleans().map(lambda off: not off)
    )
    def time_passes(self, span, workers_run):
        with self.happening():
            left = draws.SPANS[span]
            if not workers_run:
                self.world.judge.of_billsby.hindered()
            self.tell(f"{span} passes{'' if workers_run else ' and no worker runs'}".capitalize())
            while left > dt.timedelta(0):
                part = min(left, draws.STEP) if workers_run else left
                self.world.let_pass(part)
                left -= part
                if self.is_hindered():
                    self.world.judge.of_billsby.hindered()
                if workers_run:
                    self.world.make_due_passes()
            if not workers_run:
                self.world.judge.of_billsby.hindered()

    def is_hindered(self) -> bool:
        company = self.world.company
        is_down = faults.is_down(company.books) != "no"
        return is_down or any(not f.times or f.hit < f.times for f in company.faults())

    @rule(minutes=st.sampled_from([-1, -20, 3, 45]))
    def the_clock_of_the_desk_is_set(self, minutes):
        with self.happening():
            by = dt.timedelta(minutes=minutes)
            if abs(self.world.clock_is_off_by + by) > dt.timedelta(hours=1):
                by = -self.world.clock_is_off_by
            self.world.step_clock(by)
            self.tell(f"The desk's clock is set by {by.total_seconds() / 60:+.0f} minutes")

    # the end

    def teardown(self) -> None:
        try:
            if not self.is_broken and hasattr(self, "uids"):
                with self.happening():
                    Peace(self.world, self.tell).comes()
        except AssertionError:
            self.tell(f"So it stands: {self.world.judge.evidence()}")
            raise
        finally:
            self.world.close()
