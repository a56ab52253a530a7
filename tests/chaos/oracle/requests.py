"""No request is lost, and none becomes two."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tests.chaos.oracle.desk import Case
from tests.chaos.oracle.evidence import Evidence
from tests.chaos.oracle.journal import Deed
from tests.chaos.oracle.violation import Violation

SUCCESS = 2

Form = tuple[str, str, frozenset[str]]
Wish = tuple[str, frozenset[str]]


def every_request_is_in_a_case(evidence: Evidence) -> Iterator[Violation]:
    """What somebody was told is stored is in a case, and in the one they were shown."""
    for form, deeds in _forms(evidence).items():
        found = _cases_of(evidence, form)
        told = [deed for deed in deeds if deed.succeeded]
        subject = found[0].number if found else form[1]
        known = tuple(str(one) for one in (*deeds, *found))
        if told and not found:
            yield Violation(
                "request_lost",
                subject,
                f"Somebody was told that the request of client {form[1]} is stored, but no case "
                f"has its subscriptions {', '.join(sorted(form[2]))}.",
                known,
            )
        yield from _named_otherwise(told, found)


def _named_otherwise(told: list[Deed], found: list[Case]) -> Iterator[Violation]:
    for deed in told:
        named = str(deed.facts.get("case") or "")
        if named and found and named not in {case.number for case in found}:
            yield Violation(
                "request_elsewhere",
                named,
                f"Somebody was shown case {named} for a request that is in {found[0].number}.",
                (str(deed), str(found[0])),
            )


def no_request_becomes_two(evidence: Evidence) -> Iterator[Violation]:
    """A form that is posted again is one request, so there are no more cases about the same than
    there were forms.
    """
    forms: dict[Wish, set[str]] = defaultdict(set)
    for token, client, scope in _forms(evidence):
        forms[client, scope].add(token)
    cases: dict[Wish, list[Case]] = defaultdict(list)
    for case in evidence.desk.cases.values():
        cases[case.client, frozenset(case.scope)].append(case)
    for wish, found in cases.items():
        if len(found) > len(forms[wish]) > 0:
            numbers = ", ".join(case.number for case in found)
            yield Violation(
                "request_doubled",
                found[-1].number,
                f"{len(forms[wish])} forms about client {wish[0]} became {len(found)} cases: "
                f"{numbers}.",
                tuple(str(case) for case in found),
            )


def every_case_was_asked_for(evidence: Evidence) -> Iterator[Violation]:
    """A case has a request behind it, about one client's own subscriptions."""
    asked = {form[1:] for form in _forms(evidence)}
    for case in evidence.desk.cases.values():
        if (case.client, frozenset(case.scope)) not in asked:
            yield Violation(
                "case_from_nowhere",
                case.number,
                f"Nobody filed a request about {', '.join(case.scope) or 'nothing'} of client "
                f"{case.client}, yet there is case {case.number}.",
                (str(case),),
            )
        for subscription in case.scope:
            record = evidence.billsby.subscriptions.get(subscription)
            if record is None or record["customer_uid"] != case.client:
                yield Violation(
                    "subscription_of_another",
                    case.number,
                    f"Case {case.number} of client {case.client} is about {subscription}, which "
                    "is not theirs in Billsby.",
                    (str(case),),
                )


def a_subscription_is_in_one_open_case(evidence: Evidence) -> Iterator[Violation]:
    """Two open cases about one subscription would stop it twice."""
    for subscription in evidence.billsby.subscriptions:
        standing = [case for case in evidence.desk.cases_of(subscription) if case.is_open]
        if len(standing) > 1:
            numbers = ", ".join(case.number for case in standing)
            yield Violation(
                "two_open_cases",
                subscription,
                f"Subscription {subscription} is in several open cases: {numbers}.",
                tuple(str(case) for case in standing),
            )


def forged_webhooks_are_turned_away(evidence: Evidence) -> Iterator[Violation]:
    """Without the secret a webhook is nobody's word."""
    for deed in evidence.journal.of("webhook"):
        is_false = deed.facts.get("kind") == "forged" and not deed.facts.get("secret_ok")
        if is_false and _was_taken(deed):
            yield Violation(
                "forged_webhook_taken",
                "webhook",
                "A webhook with a wrong secret was answered as if it were Billsby's.",
                (str(deed),),
            )


def _was_taken(deed: Deed) -> bool:
    return int(deed.facts.get("status") or 0) // 100 == SUCCESS


def _forms(evidence: Evidence) -> dict[Form, list[Deed]]:
    """What was posted, by form: the same token for other subscriptions is another request."""
    found: dict[Form, list[Deed]] = defaultdict(list)
    for deed in evidence.journal.of("filed"):
        facts = deed.facts
        form = (str(facts["token"]), str(facts["client"]), frozenset(facts["subscriptions"]))
        found[form].append(deed)
    return found


def _cases_of(evidence: Evidence, form: Form) -> list[Case]:
    """The cases a form can have become. Where its token already names a case about something
    else, the request is stored without it.
    """
    token, client, scope = form
    alike = [
        case
        for case in evidence.desk.cases.values()
        if case.client == client and set(case.scope) == scope
    ]
    return [case for case in alike if case.token == token] or [
        case for case in alike if not case.token
    ]
