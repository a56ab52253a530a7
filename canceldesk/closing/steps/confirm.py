"""Confirm: the client is told. It never decides whether a case is closed; what cannot be sent
is given up after some tries and said openly.
"""

from __future__ import annotations

import datetime as dt

from canceldesk import clock
from canceldesk.cases.log import Verb
from canceldesk.cases.models import Channel, Message, WaitsFor
from canceldesk.closing.models import Intent
from canceldesk.closing.results import Done, NotNeeded, Result, Waits
from canceldesk.closing.work import Work
from canceldesk.configuration import services as configuration
from canceldesk.messages import mail, words

TRIES = 5


def run(work: Work) -> Result:
    """Send the confirmation by e-mail, or give the words to say."""
    facts = work.facts
    text = words.confirmation(
        name=work.case.client.first_name or facts.name,
        company=configuration.text("COMPANY_NAME"),
        plan=facts.plan,
        on=facts.cancelled_on,
        is_final=work.case.decision == "cancel",
    )
    if not configuration.yes("CONFIRM_BY_EMAIL") or not mail.is_set_up():
        return NotNeeded(
            "No e-mail is sent. You can tell the client in these words.", {"words": text.body}
        )
    if not work.case.client.email:
        return NotNeeded("Billsby has no e-mail address of the client.", {"words": text.body})
    return _send(work, text)


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
    if intent.request["tries"] >= TRIES:
        return NotNeeded(
            "The e-mail to the client could not be sent. Please tell the client yourself.",
            {"words": text.body, "why": intent.answer.get("why", "")},
        )
    with work.fenced():
        intent.state = Intent.State.SENT
        intent.request = {"tries": intent.request["tries"] + 1}
        intent.save(update_fields=["state", "request"])
    try:
        mail.send(
            to=work.case.client.email,
            text=text,
            message_id=mail.fixed_message_id("confirm", work.case.number),
        )
    except mail.CannotSend as problem:
        return _not_sent(work, intent, str(problem))
    return _sent(work, intent, text)


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
