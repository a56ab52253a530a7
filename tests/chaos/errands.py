"""What people do about one case, step by step as it was planned, and what becomes of each step."""

from __future__ import annotations

import datetime as dt
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.chaos.bookkeeper import Bookkeeper
from tests.chaos.interfaces import SeededClient
from tests.chaos.pages import ENDED, UNDECIDED, CasePage
from tests.chaos.panel_person import PanelPerson
from tests.chaos.plan import (
    CANCEL,
    NOT_A_CANCELLATION,
    SUSPEND,
    TAKEN_BACK,
    WITHDRAWING,
    Approval,
    Click,
    PlannedCase,
    Row,
)
from tests.chaos.staff import NotNow, Staff

AGENT, MANAGER = "agent", "manager"
ROW_GONE, ROW_OFF = "The row is gone from the list", "The row is off the list"
_DOUBLE_CLICK = 2


@dataclass
class Errand:
    """A planned case and how far people have come with it. `case` is 0 until it is filed.

    `before` is another errand that has to come to its end first. `row_is_changed`: a person has
    changed the desk's row and still has to put it right.
    """

    planned: PlannedCase
    client: SeededClient
    steps: deque[Step]
    before: Errand | None = None
    case: int = 0
    tries: int = 0
    is_over: bool = False
    row_is_changed: bool = False
    waits_for_pages: bool = False
    has_been_retried: bool = False

    @property
    def number(self) -> str:
        """What the desk calls the case."""
        return f"C-{self.case:05d}"


@dataclass(frozen=True)
class Company:
    """Who there is to do things: by role, at the panel, with the workbook."""

    staff: dict[str, list[Staff]]
    panel: PanelPerson
    bookkeeper: Bookkeeper

    def one(self, role: str, errand: Errand) -> Staff:
        """Who of that role looks after a case."""
        there = self.staff[role]
        return there[sum(map(ord, errand.planned.key)) % len(there)]


@dataclass(frozen=True)
class Step:
    """One thing to do, after a while of (least, most) seconds.

    `do` says whether it is done; False or NotNow: try again later. `in_peace`: not before the
    mischief is over. `is_needed`: without it nothing else can be done.
    """

    name: str
    do: Callable[[Company, Errand], bool]
    after: tuple[float, float] = (0.1, 1.0)
    in_peace: bool = False
    is_needed: bool = False


@dataclass(frozen=True)
class Ways:
    """How Billsby is in this run, as far as people must know it."""

    offers_suspended_while_paused: bool
    pause_lifted_by_call: bool


def script(planned: PlannedCase, ways: Ways) -> deque[Step]:
    """All steps of a case in their order."""
    return deque(_script(planned, ways))


def _script(planned: PlannedCase, ways: Ways) -> Iterator[Step]:
    if planned.after:
        yield Step("wait for the case before", _wait_for_the_other, is_needed=True)
    yield Step("file", _file, (0.0, 0.0), is_needed=True)
    if planned.click is Click.EARLY:
        yield Step("click early", _click_once(ways))
    if planned.row is Row.BY_HAND:
        yield Step("write the row by hand", _write_by_hand)
    for _ in range(planned.attempts):
        yield Step("attempt", _attempt)
    for place, word in enumerate(planned.turns):
        yield from _turn(planned, word, is_again=place > 0)
    if planned.end == SUSPEND:
        yield from _stop(planned, ways)
    if planned.row in {Row.TAKEN_OFF, Row.PUT_BACK}:
        yield Step("take the row off", _take_off, (1.0, 4.0))
    if planned.row is Row.PUT_BACK:
        yield Step("put the row back", _rewrite(ROW_OFF), (1.0, 4.0))


def _turn(planned: PlannedCase, word: str, *, is_again: bool) -> Iterator[Step]:
    if word in WITHDRAWING:
        yield Step("withdraw", _withdraw(word))
    elif word == TAKEN_BACK:
        yield Step("take back", _take_back, (0.5, 4.0))
    else:
        yield Step("decide", _decide(word), (1.0, 3.0) if is_again else (0.1, 1.5))
        yield from _approvals(planned.approval)


def _approvals(approval: Approval) -> Iterator[Step]:
    if approval is Approval.AGENT:
        yield Step("approve", _approve(AGENT), (1.0, 3.0))
    if approval is Approval.AGENT_IS_REFUSED:
        yield Step("try to approve above the limit", _try_above_limit, (1.0, 3.0))
    if approval in {Approval.AGENT_IS_REFUSED, Approval.MANAGER}:
        yield Step("approve", _approve(MANAGER), (1.0, 3.0))


def _stop(planned: PlannedCase, ways: Ways) -> Iterator[Step]:
    if planned.row is Row.DELETED:
        yield Step("delete the row", _delete_row, (1.0, 3.0))
        yield Step("write the row again", _rewrite(ROW_GONE), (1.0, 3.0))
    if planned.row is Row.CHANGED:
        yield Step("change the row", _change_row, (1.0, 3.0))
        yield Step("put the row right", _put_row_right, (1.0, 4.0))
    if planned.click is Click.WRONG_FIRST:
        yield Step("click for another service", _click_wrong, (1.0, 3.0))
        yield Step("undo that", _undo_wrong, (0.5, 2.0))
    late = {Click.LATE: (4.0, 15.0), Click.WRONG_FIRST: (0.5, 2.0)}
    when = late.get(planned.click, (0.5, 3.0))
    in_peace = planned.click is Click.IN_PEACE
    if planned.click is Click.RELEASE_FIRST or not ways.offers_suspended_while_paused:
        yield Step("release the hold", _release, when, in_peace)
        when = (0.2, 1.0)
    times = _DOUBLE_CLICK if planned.click is Click.TWICE else 1
    for _ in range(times):
        yield Step("click", _click(ways), when, in_peace)
        when = (0.0, 0.1)


# at the desk


def _wait_for_the_other(company: Company, errand: Errand) -> bool:
    other = errand.before
    if other is None or other.steps or not other.case:
        return other is None
    return company.one(MANAGER, errand).look(other.case).state in ENDED


def _file(company: Company, errand: Errand) -> bool:
    planned = errand.planned
    errand.case = company.one(planned.filed_by, errand).file(planned)
    if planned.row is Row.KEPT and TAKEN_BACK not in planned.turns:
        company.bookkeeper.hear_that_it_stays(errand.number)
    return True


def _attempt(company: Company, errand: Errand) -> bool:
    manager = company.one(MANAGER, errand)
    page = manager.look(errand.case)
    if page.state in UNDECIDED:
        manager.attempt(page)
    return True


def _decide(word: str) -> Callable[[Company, Errand], bool]:
    def do(company: Company, errand: Errand) -> bool:
        manager = company.one(MANAGER, errand)
        page = manager.look(errand.case)
        if page.state not in UNDECIDED:
            return True  # an answer was lost, or another was quicker
        with_write_offs = errand.planned.approval is Approval.WITH_DECISION
        manager.decide(
            page, word, with_write_offs=with_write_offs, twice=errand.planned.decides_twice
        )
        return True

    return do


def _withdraw(because: str) -> Callable[[Company, Errand], bool]:
    def do(company: Company, errand: Errand) -> bool:
        role = AGENT if because == NOT_A_CANCELLATION else MANAGER
        person = company.one(role, errand)
        page = person.look(errand.case)
        if page.state in UNDECIDED:
            person.withdraw(page, because)
        return True

    return do


def _take_back(company: Company, errand: Errand) -> bool:
    manager = company.one(MANAGER, errand)
    page = manager.look(errand.case)
    if page.state in UNDECIDED or page.state in ENDED:
        return True
    manager.take_back(page)
    return True


def _approve(role: str) -> Callable[[Company, Errand], bool]:
    def do(company: Company, errand: Errand) -> bool:
        person = company.one(role, errand)
        page = person.look(errand.case)
        if page.state in ENDED:
            return True
        if not page.asks_for_approval:
            return False
        if page.to_approve:
            person.approve(page)
        return True

    return do


def _try_above_limit(company: Company, errand: Errand) -> bool:
    agent = company.one(AGENT, errand)
    page = agent.look(errand.case)
    if page.state in ENDED:
        return True
    if not page.asks_for_approval:
        return False
    owed = [f"{one.amount_minor}:{one.number}" for one in errand.client.invoices]
    agent.try_above_limit(page, owed)
    return True


def _rewrite(told: str) -> Callable[[Company, Errand], bool]:
    def do(company: Company, errand: Errand) -> bool:
        manager = company.one(MANAGER, errand)
        page = manager.look(errand.case)
        if page.row != told:
            return told == ROW_GONE and page.state in ENDED
        manager.rewrite(page)
        return True

    return do


def _take_off(company: Company, errand: Errand) -> bool:
    manager = company.one(MANAGER, errand)
    page = manager.look(errand.case)
    if page.state not in ENDED:
        return False
    if page.row != ROW_OFF and page.action("take-off-list") is not None:
        manager.take_off(page)
    return True


def _release(company: Company, errand: Errand) -> bool:
    person = company.one(AGENT, errand)
    page = person.look(errand.case)
    if page.state in ENDED:
        return True
    waiting = [one for one in page.clicks if not one.is_lifted]
    for one in waiting:
        if one.can_release:
            person.release(page, one.scope)
    return bool(page.clicks) and not waiting


# in Billsby's control panel


def _click(ways: Ways) -> Callable[[Company, Errand], bool]:
    def do(company: Company, errand: Errand) -> bool:
        done = [click(company, service, ways) for service in errand.planned.scope]
        return all(done)

    return do


def _click_once(ways: Ways) -> Callable[[Company, Errand], bool]:
    def do(company: Company, errand: Errand) -> bool:
        for service in errand.planned.scope:
            click(company, service, ways)
        return True

    return do


def click(company: Company, service: str, ways: Ways) -> bool:
    """Set one service to Suspended; whether it is. A pause that a call could not lift is lifted
    by hand first, as the desk then asks for.
    """
    panel = company.panel
    status = panel.status(service)
    if status in {"Suspended", "Cancelled"}:
        return True
    by_hand = not ways.offers_suspended_while_paused and not ways.pause_lifted_by_call
    if status == "Paused" and by_hand:
        panel.lift_pause(service)
    return bool(status) and panel.suspend(service)


def _other_service(errand: Errand) -> str:
    services = [one.id for one in errand.client.subscriptions]
    return next(one for one in services if one not in errand.planned.scope)


def _click_wrong(company: Company, errand: Errand) -> bool:
    return company.panel.suspend(_other_service(errand), mistake=True)


def _undo_wrong(company: Company, errand: Errand) -> bool:
    """Active again, which bills at once; the money is taken at once, too, or it would block."""
    panel, service = company.panel, _other_service(errand)
    if panel.status(service) != "Active" and not panel.activate(service, mistake=True):
        return False
    pending = [number for number, status in panel.owed(errand.client.id) if status == "Pending"]
    return all(panel.collect(number) for number in pending)


# with the workbook


def _write_by_hand(company: Company, errand: Errand) -> bool:
    client, today = errand.client, dt.datetime.now(tz=dt.UTC).date()
    phone = client.phone.replace("+", "")
    return company.bookkeeper.write_by_hand(errand.planned.key, client.name, phone, today)


def _delete_row(company: Company, errand: Errand) -> bool:
    return company.bookkeeper.delete_row(errand.number)


def _change_row(company: Company, errand: Errand) -> bool:
    errand.row_is_changed = company.bookkeeper.change_row(errand.number)
    return errand.row_is_changed


def _put_row_right(company: Company, errand: Errand) -> bool:
    if errand.row_is_changed:
        errand.row_is_changed = not company.bookkeeper.put_row_right(errand.number)
    return not errand.row_is_changed


def decided_at_last(company: Company, errand: Errand, page: CasePage) -> bool:
    """Say the planned last word on a case that is still undecided; whether that was done."""
    word = errand.planned.end
    manager = company.one(MANAGER, errand)
    if word in WITHDRAWING:
        form = page.action("withdraw")
        possible = form is not None and word in form.choices["because"]
        manager.withdraw(page, word if possible else NOT_A_CANCELLATION)
        return True
    if word not in {CANCEL, SUSPEND, "retained"}:
        raise NotNow(f"{errand.number} has no last word")
    manager.decide(page, word)
    return True
