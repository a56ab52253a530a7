"""`canceldesk case`: everything people do with a case, through the same services as the pages."""

from __future__ import annotations

from typing import Annotated

import typer

from canceldesk.commands.answering import As, AsJson, answering, refuse, say_json, user
from canceldesk.commands.meaning import (
    as_dict,
    case_of,
    choice,
    client_of,
    listen,
    only_a_person_can_place,
    reason_of,
    row_state,
    say,
    say_invoices,
    say_table,
    scope_of,
    why_no_pass,
)

app = typer.Typer(help="File, look at and bring forward cases.", no_args_is_help=True)

Number = Annotated[str, typer.Argument(metavar="CASE", help="The case, such as C-00042 or 42.")]
Channel = Annotated[str, typer.Option(help="call, text or email.")]


@app.command()
def new(
    client: Annotated[str, typer.Argument(help="Billsby ID, name, phone or e-mail.")],
    *,
    by: As,
    reason: Annotated[str, typer.Option(help="The key of a reason, such as too_expensive.")],
    wish: Annotated[str, typer.Option(help="suspend, cancel or unsure.")] = "suspend",
    channel: Channel = "call",
    subscription: Annotated[
        list[str] | None,
        typer.Option(help="Billsby ID of a subscription to stop; may be given several times."),
    ] = None,
    words: Annotated[str, typer.Option(help="The reason in the client's own words.")] = "",
    note: Annotated[str, typer.Option(help="What else was said.")] = "",
    as_json: AsJson = False,
) -> None:
    """File a client's wish to stop."""
    with answering(as_json=as_json):
        from canceldesk.cases import models, services
        from canceldesk.intake import services as intake

        listen()
        who = client_of(client, as_json=as_json)
        problem = intake.read_now(who)
        case = services.file_request(
            by=user(by),
            client=who,
            subscriptions=scope_of(who, subscription or [], as_json=as_json),
            wish=choice(models.Wish, wish, "--wish"),
            channel=choice(models.Channel, channel, "--channel"),
            reason=reason_of(reason),
            reason_words=words,
            note=note,
            is_read_now=not problem,
        )
        if problem:
            typer.echo(f"{problem} So {case.number} is filed from the desk's copy.", err=True)
        say(case, as_json=as_json)


@app.command("list")
def list_(
    *,
    state: Annotated[str, typer.Option(help="Only cases in this state.")] = "",
    all_: Annotated[bool, typer.Option("--all", help="Ended cases, too.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the open cases, those charged next first."""
    with answering(as_json=as_json):
        from django.db.models import F

        from canceldesk.cases import models

        found = models.Case.objects.select_related("client", "reason", "decided_by")
        if state:
            found = found.filter(state=choice(models.State, state, "--state"))
        elif not all_:
            found = found.filter(state__in=models.OPEN_STATES)
        ordered = found.order_by(F("next_charge_at").asc(nulls_last=True), "received_at")
        if as_json:
            say_json([as_dict(case) for case in ordered])
            return
        say_table(list(ordered))


@app.command()
def show(number: Number, as_json: AsJson = False) -> None:
    """Show one case with its steps and its log."""
    with answering(as_json=as_json):
        from canceldesk.cases import log

        case = case_of(number)
        details = as_dict(case) | {
            "row": row_state(case),
            "steps": [
                {"name": step.name, "state": step.state, "sentence": step.sentence}
                for step in case.steps.all()
            ],
            "log": [
                {"at": entry.at, "by": str(entry.by or "the desk"), "what": log.sentence(entry)}
                for entry in case.log.select_related("by")
            ],
        }
        if as_json:
            say_json(details)
            return
        say(case)
        typer.echo(f"  row        {details['row']}")
        for step in details["steps"]:
            typer.echo(f"  {step['name']:10} {step['state']:10} {step['sentence']}")
        for entry in details["log"]:
            typer.echo(f"  {entry['at']:%Y-%m-%d %H:%M}  {entry['by']}: {entry['what']}")


@app.command()
def note(
    number: Number,
    text: Annotated[str, typer.Argument(help="What was said or written.")],
    *,
    by: As,
    channel: Channel = "call",
    outbound: Annotated[bool, typer.Option("--to-client", help="It went to the client.")] = False,
    as_json: AsJson = False,
) -> None:
    """Note what was said or written."""
    with answering(as_json=as_json):
        from canceldesk.cases import models, services

        case = case_of(number)
        way = models.Message.Direction.OUT if outbound else models.Message.Direction.IN
        services.add_message(
            case,
            by=user(by),
            direction=way,
            channel=choice(models.Channel, channel, "--channel"),
            body=text,
        )
        say(case, as_json=as_json)


@app.command()
def attempt(
    number: Number,
    *,
    by: As,
    offer: Annotated[
        str,
        typer.Option(
            help="listened, pause, plan_change, discount, bill_date, help or other.",
        ),
    ],
    answer: Annotated[str, typer.Option(help="no_answer, thinking, accepted or refused.")],
    channel: Channel = "call",
    words: Annotated[str, typer.Option("--note", help="How it went.")] = "",
    as_json: AsJson = False,
) -> None:
    """Record a manager's effort to keep the client."""
    with answering(as_json=as_json):
        from canceldesk.cases import models
        from canceldesk.retention import services
        from canceldesk.retention.models import Attempt

        listen()
        case = case_of(number)
        services.attempt(
            case,
            by=user(by),
            channel=choice(models.Channel, channel, "--channel"),
            offer=choice(Attempt.Offer, offer, "--offer"),
            answer=choice(Attempt.Answer, answer, "--answer"),
            note=words,
        )
        say(case, as_json=as_json)


@app.command()
def decide(
    number: Number,
    decision: Annotated[str, typer.Argument(help="retained, suspend or cancel.")],
    *,
    by: As,
    typed_id: Annotated[
        str, typer.Option(help="For cancel: the client's Billsby ID. It cannot be undone.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Say what becomes of the case."""
    with answering(as_json=as_json):
        from canceldesk.cases import models
        from canceldesk.retention import services

        listen()
        case = case_of(number)
        chosen = choice(models.Decision, decision, "DECISION")
        services.decide(case, by=user(by), decision=chosen, typed_id=typed_id)
        say(case, as_json=as_json)


@app.command()
def withdraw(
    number: Number,
    *,
    by: As,
    because: Annotated[
        str,
        typer.Option(
            help="not_a_cancellation, or, by a manager, duplicate (another open case of the client "
            "is the one meant; what this one is about bills again) or changed_mind.",
        ),
    ],
    words: Annotated[str, typer.Option(help="More about it.")] = "",
    as_json: AsJson = False,
) -> None:
    """End a case that nobody has decided."""
    with answering(as_json=as_json):
        from canceldesk.cases import services

        listen()
        case = case_of(number)
        services.withdraw(case, by=user(by), because=because, words=words)
        say(case, as_json=as_json)


@app.command("write-off")
def write_off(
    number: Number,
    *,
    by: As,
    invoice: Annotated[
        list[str] | None, typer.Option(help="An invoice to write off; may be given several times.")
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="All that wait for approval.")] = False,
    as_json: AsJson = False,
) -> None:
    """Approve write-offs; without --invoice or --all only show what waits for approval.

    An invoice that may be for a service that stays is approved only by its number.
    """
    with answering(as_json=as_json):
        from canceldesk.closing import services

        case = case_of(number)
        waiting, unplaced = services.to_approve(case), only_a_person_can_place(case)
        asked = invoice or []
        if not asked and not all_:
            if as_json:
                placed = [one | {"may_be_for_what_stays": False} for one in waiting]
                say_json(placed + [one | {"may_be_for_what_stays": True} for one in unplaced])
            else:
                say_invoices(waiting, unplaced)
            return
        listen()
        offered = waiting + [one for one in unplaced if one["number"] in asked]
        amounts = {str(one["number"]): int(str(one["amount_minor"])) for one in offered}
        unknown = [name for name in asked if name not in amounts]
        if unknown:
            refuse(f"Invoice {unknown[0]} does not wait for approval.", as_json=as_json)
        chosen = [
            services.Seen(name, amount) for name, amount in amounts.items() if all_ or name in asked
        ]
        services.approve_write_offs(case, by=user(by), seen=chosen)
        say(case, as_json=as_json)


@app.command()
def release(
    number: Number,
    *,
    by: As,
    subscription: Annotated[
        str, typer.Option(help="Which one, by its Billsby ID, if the case is about several.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Lift a hold for the moment of a click in Billsby."""
    with answering(as_json=as_json):
        from canceldesk.closing import services

        listen()
        case = case_of(number)
        scopes = list(case.scope.select_related("subscription"))
        fitting = [s for s in scopes if subscription in ("", s.subscription.billsby_id)]
        if len(fitting) != 1:
            names = ", ".join(s.subscription.billsby_id for s in scopes)
            refuse(f"Say which subscription with --subscription: {names}.", as_json=as_json)
        services.release_hold(case, by=user(by), scope=fitting[0])
        say(case, as_json=as_json)


@app.command("take-back")
def take_back(
    number: Number,
    *,
    by: As,
    why: Annotated[str, typer.Option(help="Why the decision is taken back.")],
    as_json: AsJson = False,
) -> None:
    """Bring a decided case back into retention; a row that was written leaves the list."""
    with answering(as_json=as_json):
        from canceldesk.closing import services

        listen()
        case = case_of(number)
        services.take_back(case, by=user(by), why=why)
        say(case, as_json=as_json)


@app.command("take-off-list")
def take_off_list(
    number: Number,
    *,
    by: As,
    why: Annotated[str, typer.Option(help="Why the row does not belong on the list.")],
    as_json: AsJson = False,
) -> None:
    """Take the row of a closed case that was a mistake off the list; the case stays closed."""
    with answering(as_json=as_json):
        from canceldesk.closing import services

        listen()
        case = case_of(number)
        services.take_off_list(case, by=user(by), why=why)
        say(case, as_json=as_json)


@app.command()
def settle(
    number: Number,
    *,
    by: As,
    why: Annotated[str, typer.Option(help="Why it is settled.")],
    about: Annotated[
        str, typer.Option(help="Which invoice or service, if several things were found wrong.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Set aside what was found wrong in an ended case and no check will see put right."""
    with answering(as_json=as_json):
        from canceldesk.cases import findings

        listen()
        case, who = case_of(number), user(by)
        there = list(findings.to_settle(case))
        fitting = [one for one in there if about in ("", one.key)]
        if not there:
            refuse(f"Nothing about {case.number} is left to settle by hand.", as_json=as_json)
        if len(fitting) != 1:
            names = ", ".join(one.key for one in there)
            refuse(f"Say what is settled with --about: {names}.", as_json=as_json)
        findings.settle(case, by=who, finding=fitting[0], why=why)
        say(case, as_json=as_json)


@app.command("rewrite-row")
def rewrite_row(number: Number, *, by: As, as_json: AsJson = False) -> None:
    """Write a row again that somebody removed, or that was taken off the list by mistake."""
    with answering(as_json=as_json):
        from canceldesk.closing import services

        listen()
        case = case_of(number)
        services.rewrite_row(case, by=user(by))
        say(case, as_json=as_json)


@app.command()
def retry(number: Number, *, by: As, as_json: AsJson = False) -> None:
    """Have the desk try again at once."""
    with answering(as_json=as_json):
        from canceldesk.cases import services

        listen()
        case = case_of(number)
        services.retry(case, by=user(by))
        say(case, as_json=as_json)


@app.command()
def advance(
    number: Annotated[
        str, typer.Argument(metavar="[CASE]", help="Only this case; else all that are due.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Make the passes that are due here and now, without a worker."""
    with answering(as_json=as_json):
        from canceldesk import engine

        if number:
            case = case_of(number)
            made = engine.make_passes(case.pk, owner=engine.executor_id())
            case.refresh_from_db()
            if not made:
                refuse(why_no_pass(case), as_json=as_json)
            say(case, as_json=as_json)
            return
        made = engine.run_due()
        say_json({"done": True, "passes": made}) if as_json else typer.echo(f"{made} passes made.")
