"""The end of a story: nothing goes wrong any more, people do what the desk asks them, and every
case must come to an end.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from canceldesk import clock
from canceldesk.cases.models import Case, Decision, Finding
from canceldesk.closing.models import Facts, Hold, Intent, Step
from tests.model import truth
from tests.model.judging.wrong import Verdict, wrong_unless
from tests.model.people import AtTheDesk, AtThePanel, AtTheWorkbook, lifted

if TYPE_CHECKING:
    from tests.model.world import World

Told = Callable[[str], None]

# Rounds of passes and of people's deeds in which everything must come to its end.
MOST_ROUNDS = 40
# Each round lets more time pass than the one before: nobody clicks for hours without a pause.
PATIENCE = dt.timedelta(seconds=20)
_AT_LEAST = dt.timedelta(seconds=1)
_AT_MOST = dt.timedelta(hours=1)
_FAR, _LESS_FAR, _NEAR = 60, 30, 10


class Peace:
    """`tell` hears each deed, for the story."""

    def __init__(self, world: World, tell: Told) -> None:
        self._world, self._tell = world, tell
        self._desk = AtTheDesk(world)
        self._panel = AtThePanel(world)
        self._workbook = AtTheWorkbook(world)

    def comes(self) -> None:
        """Bring every case to its end, or say which does not come to one."""
        self._all_goes_well()
        for number in range(MOST_ROUNDS):
            self._world.make_due_passes()
            unfinished = [case for case in self._world.cases() if not self._has_ended(case)]
            if not unfinished:
                break
            for case in unfinished:
                self.people_act(Case.objects.get(pk=case.pk))
            self._time_passes(unfinished, at_least=number * PATIENCE)
        else:
            self._give_up()
        self._world.judge.always()
        self._world.judge.of_the_list.at_rest()
        self._closed_is_true_or_found()

    def _all_goes_well(self) -> None:
        self._tell("Peace comes: all faults end, the workbook is free, whoever sleeps wakes")
        self._world.company.clear_faults()
        self._world.company.set_down("no")
        self._world.the_list.trouble = None
        for sleeper in list(self._world.sleepers):
            self._world.end_sleep(sleeper)
        self._world.let_pass(dt.timedelta(minutes=2))

    def _time_passes(self, unfinished: list[Case], *, at_least: dt.timedelta) -> None:
        """To the next pass of a case that has not ended, or so long that it comes."""
        due = [
            case.next_pass_at
            for case in Case.objects.filter(pk__in=[case.pk for case in unfinished])
            if case.next_pass_at is not None
        ]
        wait = min(due, default=clock.now()) - clock.now()
        self._world.let_pass(min(max(wait, at_least, _AT_LEAST), _AT_MOST))

    def _has_ended(self, case: Case) -> bool:
        if case.is_open:
            return False
        row = Intent.objects.filter(case=case, kind="row").first()
        if row is not None and row.state not in {"confirmed", "removed"}:
            return False
        if case.state == "closed":
            return True
        standing = Hold.objects.filter(scope__case=case, state__in=_HELD)
        return not standing.exists() and not case.attention

    def _give_up(self) -> None:
        stuck = [case for case in self._world.cases() if not self._has_ended(case)]
        told = "; ".join(
            f"{case.number} is {case.state} and says: {' / '.join(_sentences(case))}"
            for case in stuck
        )
        raise Verdict(f"In peace {len(stuck)} case(s) come to no end. {told}")

    def people_act(self, case: Case) -> None:
        """People do for a case what its page asks of them."""
        if case.state in {"new", "retention"}:
            decision = Decision.CANCEL if case.wish == "cancel" else Decision.SUSPEND
            self._tell(self._desk.decide(case, decision))
            return
        for sentence in _sentences(case):
            for phrase, deed in self._deeds():
                if phrase in sentence:
                    for told in deed(case, sentence):
                        self._tell(told)
                    break

    def _deeds(self) -> list[tuple[str, Callable[[Case, str], Iterator[str]]]]:
        """What the desk says, and what a person then does. The first that fits is done."""
        return [
            ("approve writing", self._approves),
            ("to Suspended in Billsby", self._suspends),
            ("Billsby still shows", self._lifts_the_pause),
            ("refused to write off invoice", self._settles_the_invoice),
            ("refused to cancel", self._settles_all),
            ("refused to hold", self._holds_by_hand),
            ("choose Update status, then Active", self._starts_again),
            ("which the desk does not know", self._stops_what_is_unknown),
            ("more than once", self._deletes_doubles),
            ("Put it right in the workbook", self._corrects_the_row),
            ("Correct or delete that row", self._corrects_the_row),
            ("Delete that row in the workbook", self._deletes_the_row),
            ("have it written again with the button", self._has_it_written_again),
        ]

    def _approves(self, case: Case, _: str) -> Iterator[str]:
        yield self._desk.approve(case, by_manager=True)

    def _suspends(self, case: Case, sentence: str) -> Iterator[str]:
        for uid in self._running(case):
            told = self._panel.suspend(uid)
            yield told
            if "cannot be set to Suspended" in told:
                yield from self._makes_it_possible(case, uid)
            elif "is refused" in told and "settle" in sentence:
                yield from self._settles_all(case, sentence)

    def _stops_what_is_unknown(self, case: Case, sentence: str) -> Iterator[str]:
        """Who looks at it in Billsby sees what it is there, and does what was decided."""
        if case.decision == Decision.SUSPEND:
            yield from self._suspends(case, sentence)

    def _running(self, case: Case) -> list[str]:
        return [
            uid
            for uid in truth.scope(case)
            if self._world.company.subscription(uid).status not in truth.HAS_ENDED
        ]

    def _makes_it_possible(self, case: Case, uid: str) -> Iterator[str]:
        there = self._world.company.subscription(uid)
        if there.status != "Paused":
            # An account that never offers Suspended can only stop by pausing.
            yield self._desk.set("STOP_BY", "pause")
        elif lifted(case, uid):
            yield self._panel.move_bill_date(uid, None, pause=False)
        else:
            told = self._desk.release_hold(case, uid)
            yield told
            if "is refused" in told:
                told = self._panel.move_bill_date(uid, None, pause=False)
                yield told
                if "days away" in told:
                    yield self._panel.move_bill_date(uid, _NEAR, pause=False)
                yield self._panel.suspend(uid)

    def _lifts_the_pause(self, case: Case, _: str) -> Iterator[str]:
        for uid in self._running(case):
            if self._world.company.subscription(uid).status == "Paused":
                yield self._panel.move_bill_date(uid, None, pause=False)
                yield self._panel.suspend(uid)

    def _settles_the_invoice(self, case: Case, sentence: str) -> Iterator[str]:
        found = re.search(r"write off invoice (\S+):", sentence)
        assert found is not None, sentence
        yield from self._settles(found.group(1))

    def _settles_all(self, case: Case, _: str) -> Iterator[str]:
        for invoice in self._world.company.invoices(case.client.billsby_id):
            if invoice.status in truth.ASKS_FOR_MONEY:
                yield from self._settles(invoice.number)

    def _settles(self, number: str) -> Iterator[str]:
        told = self._panel.write_off(number)
        yield told
        if "is refused" in told:
            yield self._panel.paid_offline(number)

    def _holds_by_hand(self, case: Case, _: str) -> Iterator[str]:
        for uid in self._running(case):
            told = self._panel.move_bill_date(uid, _FAR, pause=True)
            yield told
            if "must be written off" in told:
                yield from self._settles_all(case, "")
            elif "days away" in told:
                told = self._panel.move_bill_date(uid, _LESS_FAR, pause=True)
                yield told
                if "days away" in told:
                    # An account that takes no far dates cannot stop by pausing.
                    yield self._desk.set("STOP_BY", "suspend")

    def _starts_again(self, case: Case, _: str) -> Iterator[str]:
        for uid in truth.scope(case):
            if self._world.company.subscription(uid).status != "Suspended":
                continue
            told = self._panel.activate(uid)
            yield told
            if "is refused" in told:
                yield from self._settles_all(case, "")

    # the workbook

    def _deletes_doubles(self, case: Case, sentence: str) -> Iterator[str]:
        for place in sorted(self._lines(case, sentence)[1:], reverse=True):
            yield self._workbook.delete(place)

    def _corrects_the_row(self, case: Case, sentence: str) -> Iterator[str]:
        for place in self._lines(case, sentence):
            yield self._workbook.correct(place, case)

    def _deletes_the_row(self, case: Case, sentence: str) -> Iterator[str]:
        for place in self._lines(case, sentence):
            yield self._workbook.delete(place)

    def _lines(self, case: Case, sentence: str) -> list[int]:
        """The places of the lines that a sentence names and that still are this client's: what the
        page says may be older than the list. A line under another case's number is not.
        """
        rows = self._world.the_list.lines
        return [
            place
            for place in _places(sentence)
            if place < len(rows)
            and rows[place].reference in {"", case.number}
            and (rows[place].reference or rows[place].phone in self._phone(case))
        ]

    def _phone(self, case: Case) -> set[str]:
        intents = Intent.objects.filter(case=case, kind="row")
        facts = Facts.objects.filter(case=case)
        return {one.request["phone"] for one in intents} | {one.phone for one in facts}

    def _has_it_written_again(self, case: Case, _: str) -> Iterator[str]:
        yield self._desk.rewrite_row(case)

    # what is true at the end

    def _closed_is_true_or_found(self) -> None:
        """A closed case that is not as it should be has a finding that says so, while its watch
        goes on.
        """
        for case in self._world.cases():
            if case.state != "closed" or case.watch.result != "watching":
                continue
            self._world.make_pass(case)
            found = set(
                Finding.objects.filter(case=case, resolved_at=None).values_list("kind", flat=True)
            )
            judge = self._world.judge
            runs = not judge.of_billsby.is_stopped(case)
            wrong_unless(
                not runs or bool(found & {"switched_back_on", "open_invoice"}),
                f"{case.number} is closed, but its service runs or asks for money again, and "
                f"nothing says so (only {sorted(found)}).",
            )
            is_listed = Facts.objects.filter(case=case).exists() and (
                judge.of_the_list.has_one_right_row(case)
            )
            if judge.of_the_list.wants_a_row(case):
                wrong_unless(
                    is_listed or bool(found & {"row_changed", "row_twice"}),
                    f"{case.number} is closed, but the list does not show its row, and nothing "
                    f"says so (only {sorted(found)}).",
                )


_HELD = ("intended", "held", "releasing", "released")


def _sentences(case: Case) -> list[str]:
    """What the case's page says, each once."""
    steps = Step.objects.filter(case=case, state__in=["waiting", "unknown", "done"])
    told = [case.waits_sentence, case.attention, *(step.sentence for step in steps)]
    return [sentence for sentence in dict.fromkeys(told) if sentence]


def _places(sentence: str) -> list[int]:
    """The places, from 0, of the lines that a sentence names by their row numbers."""
    heading = 3
    numbers = re.search(r"[Rr]ows? ([\d and]+)", sentence)
    assert numbers is not None, sentence
    return [int(number) - heading - 1 for number in re.findall(r"\d+", numbers.group(1))]
