"""The word of people that the backup knows and that may have been taken back since. Nothing that
cannot be undone is done on it: whoever gave it is asked once more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from canceldesk import outside
from canceldesk.billsby import Billsby, BillsbyError, NotFound, SubscriptionStatus
from canceldesk.cases import log
from canceldesk.cases import services as cases
from canceldesk.cases.log import Verb
from canceldesk.cases.models import OPEN_STATES, Case, CaseSubscription, Decision, State
from canceldesk.closing import services as closing
from canceldesk.closing.models import WriteOffApproval
from canceldesk.closing.work import is_gone
from canceldesk.configuration.reading import BadSettingError
from canceldesk.outside import NotSetUpError


@dataclass(frozen=True)
class ToDecide:
    """What people are asked again: the numbers of the cases to decide, and how many approvals of
    write-offs were forgotten.
    """

    cases: tuple[str, ...] = ()
    approvals: int = 0


def ask_again() -> ToDecide:
    """Forget approvals of what has not been written off yet, and bring cases that were decided to
    cancel back to retention, unless Billsby says that their services are cancelled already.
    """
    forgotten = sum(_forget_approvals(case) for case in Case.objects.filter(state__in=OPEN_STATES))
    return ToDecide(tuple(_put_back(case) for case in _not_cancelled()), forgotten)


def _forget_approvals(case: Case) -> int:
    approvals = WriteOffApproval.objects.filter(case=case, used_at=None)
    invoices = list(dict.fromkeys(approvals.values_list("invoice_number", flat=True)))
    if not invoices:
        return 0
    count, _ = approvals.delete()
    log.record(Verb.WRITE_OFF_UNAPPROVED, case=case, invoices=", ".join(invoices))
    return count


def _not_cancelled() -> Iterator[Case]:
    ask = _billsby_asked()
    for case in Case.objects.filter(state=State.CLOSING, decision=Decision.CANCEL):
        scopes = case.scope.select_related("subscription", "case__client")
        if not all(ask(scope) for scope in scopes):
            yield case


def _billsby_asked() -> Callable[[CaseSubscription], bool]:
    """Asks Billsby whether a service is cancelled; the answer is no from the first time that
    Billsby cannot be asked.
    """
    is_within_reach = True

    def ask(scope: CaseSubscription) -> bool:
        nonlocal is_within_reach
        try:
            return is_within_reach and _is_cancelled(outside.billsby(), scope)
        except (NotSetUpError, BadSettingError, BillsbyError):
            is_within_reach = False
        return False

    return ask


def _is_cancelled(billsby: Billsby, scope: CaseSubscription) -> bool:
    try:
        found = billsby.subscription(scope.subscription.billsby_id)
    except NotFound:
        return is_gone(billsby, scope.case.client.billsby_id)
    return found.status is SubscriptionStatus.CANCELLED


def _put_back(case: Case) -> str:
    """Do what taking the decision back does; the case's number. A row that was not written at the
    time of the backup may have been since, so it is looked for in any case.
    """
    closing.undo_decision(case)
    log.record(Verb.CASE_DECIDE_AGAIN, case=case)
    cases.set_attention(case, cases.DECIDE_AGAIN)
    return case.number
