"""Doing what the desk's pages ask people for, sentence by sentence, once the mischief is over."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.chaos.errands import MANAGER, ROW_GONE, Company, Errand, Ways, click, decided_at_last
from tests.chaos.pages import UNDECIDED, CasePage
from tests.chaos.staff import Staff

_INVOICE = re.compile(r"\bCHAOS\d+-\d+\b")


def do_what_is_asked(company: Company, errand: Errand, ways: Ways) -> int:
    """Look at the case's page and do what it asks; how many things were done. Raises NotNow."""
    manager = company.one(MANAGER, errand)
    page = manager.look(errand.case)
    errand.is_over = page.is_over
    if page.is_over:
        return 0
    if page.state in UNDECIDED and errand.steps:
        return 0
    if page.state in UNDECIDED:
        return int(decided_at_last(company, errand, page))
    if page.to_approve and page.asks_for_approval:
        manager.approve(page)
        return 1
    if page.row == ROW_GONE:
        manager.rewrite(page)
        return 1
    done = sum(what(company, errand, page.sentence) for what in _SENTENCES)
    done += _clicks(company, manager, page, ways)
    if page.needs_attention and not done and not errand.has_been_retried:
        errand.has_been_retried = True
        manager.retry(page)
    return done


def _clicks(company: Company, manager: Staff, page: CasePage, ways: Ways) -> int:
    done = 0
    for one in page.clicks:
        if click(company, one.subscription, ways):
            done += 1
        elif one.can_release and not ways.offers_suspended_while_paused:
            manager.release(page, one.scope)
            done += 1
    return done


def _take_out_what_was_written_by_hand(company: Company, errand: Errand, sentence: str) -> int:
    asks = "is about this client and this day" in sentence or "is not what the desk" in sentence
    return int(asks and company.bookkeeper.take_out_by_hand(errand.planned.key))


def _put_right_what_was_changed(company: Company, errand: Errand, sentence: str) -> int:
    asks = "is not what the desk wrote" in sentence and errand.row_is_changed
    if not asks or not company.bookkeeper.put_row_right(errand.number):
        return 0
    errand.row_is_changed = False
    return 1


def _close_the_workbook(company: Company, _: Errand, sentence: str) -> int:
    return int("is open on the screen of" in sentence and company.bookkeeper.tidy())


def _settle_what_is_owed(company: Company, errand: Errand, sentence: str) -> int:
    """Settle what is said to keep the service, or, where nobody says what, all that is owed."""
    panel = company.panel
    if "Look for open invoices" in sentence:
        return sum(panel.settle(number) for number, _ in panel.owed(errand.client.id))
    if "what is still owed keeps it" not in sentence:
        return 0
    named = set(_INVOICE.findall(sentence))
    owed = [number for number, _ in panel.owed(errand.client.id) if number in named]
    return sum(panel.settle(number) for number in owed)


def _write_off_by_hand(company: Company, _: Errand, sentence: str) -> int:
    if "Write it off in Billsby" not in sentence:
        return 0
    return sum(company.panel.write_off(number) for number in _INVOICE.findall(sentence)[:1])


_SENTENCES: tuple[Callable[[Company, Errand, str], int], ...] = (
    _take_out_what_was_written_by_hand,
    _put_right_what_was_changed,
    _close_the_workbook,
    _settle_what_is_owed,
    _write_off_by_hand,
)
