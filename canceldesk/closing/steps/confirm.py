"""Confirm: the client is told. It never decides whether a case is closed; what cannot be sent
is given up after some tries and said openly. So is what may have been sent: it goes once more, but
a client is not written to again and again because a mail server's answers get lost.
"""

from __future__ import annotations

import datetime as dt

from canceldesk import clock
from canceldesk.billsby import SubscriptionStatus
from canceldesk.cases.log import Verb
from canceldesk.cases.models import Channel, Message, WaitsFor
from canceldesk.closing.models import Intent
from canceldesk.closing.results import Done, NotNeeded, Result, Waits
from canceldesk.closing.work import Work
from canceldesk.configuration import services as configuration
from canceldesk.messages import mail, words

TRIES = 5
REPEATS = 1
"""How often it is sent again when it is not known whether it was sent."""


def run(work: Work) -> Result:
    """Send the confirmation by e-mail, or give the words to say."""
    text = _words(work)
    if not configuration.yes("CONFIRM_BY_EMAIL") or not mail.is_set_up():
        return NotNeeded(
            "No e-mail is sent. You can tell the client in these words.", {"words": text.body}
        )
    if not work.case.client.email:
        return NotNeeded("Billsby has no e-mail address of the client.", {"words": text.body})
    return _send(work, text)


def _words(work: Work) -> words.Text:
    """Worded by what *verify* has just read, not by the decision: what was to be suspended may have
    been cancelled for good meanwhile, by a person or by Billsby's dunning.
    """
    facts = work.facts
    suspended: list[str] = []
    cancelled: list[str] = []
    for scope in work.scope:
        subscription = work.subscription(scope)
        is_final = subscription.status is SubscriptionStatus.CANCELLED
        (cancelled if is_final else suspended).append(subscription.plan_name)
    return words.confirmation(
        name=work.case.client.first_name or facts.name,
        company=configuration.text("COMPANY_NAME"),
        on=facts.cancelled_on,
        suspended=suspended,
        cancelled=cancelled,
    )


def _send(work: Work, text: words.Text) -> Result:
    with work.fenced():
        intent, _ = Intent.objects.get_or_create(
            case=work.case,
            kind=Intent.Kind.CONFIRM,
            target="email",
            defaults={"created_at": clock.now(), "request": {"tries": 0}},
        )
    if intent.state == Intent.State.CONFIRMED:
        return Done(f"E-mail sent to {work.case.client.email}.", intent.answer)
    if _is_given_up(intent):
        return _given_up(intent, text)
    with work.fenced():
        intent.request = {
            "tries": intent.request["tries"] + 1,
            "unanswered": _unanswered(intent),
        }
        intent.state, intent.answer = Intent.State.SENT, {}
        intent.save(update_fields=["state", "request", "answer"])
    try:
        mail.send(
            to=work.case.client.email,
            text=text,
            message_id=mail.fixed_message_id("confirm", work.case.number),
        )
    except mail.MaybeSent as problem:
        return _maybe_sent(work, intent, text, str(problem))
    except mail.CannotSend as problem:
        return _not_sent(work, intent, str(problem))
    return _sent(work, intent, text)


def _unanswered(intent: Intent) -> int:
    """How often it left and no answer is kept: the mail server's was lost, or the pass that waited
    for it had its case taken over, or died.
    """
    is_open = intent.state == Intent.State.SENT and not intent.answer
    before: int = intent.request.get("unanswered", 0)
    return before + is_open


def _is_given_up(intent: Intent) -> bool:
    return intent.request["tries"] >= TRIES or _unanswered(intent) > REPEATS


def _given_up(intent: Intent, text: words.Text) -> NotNeeded:
    if _unanswered(intent):
        return NotNeeded(
            "The e-mail to the client was handed to the mail server, but no answer is kept, so it "
            "is not known whether the client has been told already. Please make sure of it "
            "yourself.",
            {"words": text.body},
        )
    return NotNeeded(
        "The e-mail to the client could not be sent. Please tell the client yourself.",
        {"words": text.body, "why": intent.answer.get("why", "")},
    )


def _maybe_sent(work: Work, intent: Intent, text: words.Text, why: str) -> Result:
    with work.fenced():
        work.log(Verb.CONFIRM_FAILED, why=why)
    if _is_given_up(intent):
        return _given_up(intent, text)
    return Waits(
        WaitsFor.OUTSIDE,
        f"It is not known whether the confirmation was sent: {why} The desk sends it once more, "
        "marked as the same message.",
        again=dt.timedelta(minutes=1),
        is_unknown=True,
        is_failure=True,
    )


def _not_sent(work: Work, intent: Intent, why: str) -> Waits:
    with work.fenced():
        intent.answer = {"why": why}
        intent.save(update_fields=["answer"])
        work.log(Verb.CONFIRM_FAILED, why=why)
    return Waits(
        WaitsFor.OUTSIDE,
        f"The confirmation could not be sent yet: {why} The desk tries again.",
        again=dt.timedelta(minutes=1),
        is_failure=True,
    )


def _sent(work: Work, intent: Intent, text: words.Text) -> Done:
    now = clock.now()
    address = work.case.client.email
    work.confirm(intent, {"to": address, "at": now.isoformat()})
    with work.fenced():
        Message.objects.create(
            case=work.case,
            direction=Message.Direction.OUT,
            channel=Channel.EMAIL,
            body=f"{text.subject}\n\n{text.body}",
            at=now,
        )
        work.log(Verb.CONFIRMED, how=f"e-mail to {address}")
    return Done(f"E-mail sent to {address}.", intent.answer)
