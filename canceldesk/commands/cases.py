"""`canceldesk case`: everything people do with a case, through the same services as the pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from canceldesk.commands.answering import As, AsJson, answering, refuse, say_json, user

if TYPE_CHECKING:
    from canceldesk.cases.models import Case
    from canceldesk.clients.models import Client, Subscription

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

        _listen()
        who = _client(client, as_json=as_json)
        case = services.file_request(
            by=user(by),
            client=who,
            subscriptions=_scope(who, subscription or [], as_json=as_json),
            wish=_choice(models.Wish, wish, "--wish"),
            channel=_choice(models.Channel, channel, "--channel"),
            reason=_reason(reason),
            reason_words=words,
            note=note,
        )
        _say(case, as_json=as_json)


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
            found = found.filter(state=_choice(models.State, state, "--state"))
        elif not all_:
            found = found.filter(state__in=models.OPEN_STATES)
        ordered = found.order_by(F("next_charge_at").asc(nulls_last=True), "received_at")
        if as_json:
            say_json([_as_dict(case) for case in ordered])
            return
        _table(list(ordered))


@app.command()
def show(number: Number, as_json: AsJson = False) -> None:
    """Show one case with its steps and its log."""
    with answering(as_json=as_json):
        from canceldesk.cases import log

        case = _case(number)
        details = _as_dict(case) | {
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
        _say(case)
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

        case = _case(number)
        way = models.Message.Direction.OUT if outbound else models.Message.Direction.IN
        services.add_message(
            case,
            by=user(by),
            direction=way,
            channel=_choice(models.Channel, channel, "--channel"),
            body=text,
        )
        _say(case, as_json=as_json)


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

        case = _case(number)
        services.attempt(
            case,
            by=user(by),
            channel=_choice(models.Channel, channel, "--channel"),
            offer=_choice(Attempt.Offer, offer, "--offer"),
            answer=_choice(Attempt.Answer, answer, "--answer"),
            note=words,
        )
        _say(case, as_json=as_json)


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

        _listen()
        case = _case(number)
        chosen = _choice(models.Decision, decision, "DECISION")
        services.decide(case, by=user(by), decision=chosen, typed_id=typed_id)
        _say(case, as_json=as_json)


@app.command()
def withdraw(
    number: Number,
    *,
    by: As,
    because: Annotated[str, typer.Option(help="not_a_cancellation, duplicate or changed_mind.")],
    words: Annotated[str, typer.Option(help="More about it.")] = "",
    as_json: AsJson = False,
) -> None:
    """End a case that nobody has decided."""
    with answering(as_json=as_json):
        from canceldesk.cases import services

        _listen()
        case = _case(number)
        services.withdraw(case, by=user(by), because=because, words=words)
        _say(case, as_json=as_json)


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
    """Approve write-offs; without --invoice or --all only show what waits for approval."""
    with answering(as_json=as_json):
        from canceldesk.closing import services

        case = _case(number)
        waiting = services.to_approve(case)
        asked = invoice or []
        if not asked and not all_:
            say_json(waiting) if as_json else _say_invoices(waiting)
            return
        _listen()
        amounts = {str(one["number"]): int(str(one["amount_minor"])) for one in waiting}
        unknown = [name for name in asked if name not in amounts]
        if unknown:
            refuse(f"Invoice {unknown[0]} does not wait for approval.", as_json=as_json)
        chosen = [
            services.Seen(name, amount) for name, amount in amounts.items() if all_ or name in asked
        ]
        services.approve_write_offs(case, by=user(by), seen=chosen)
        _say(case, as_json=as_json)


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

        _listen()
        case = _case(number)
        scopes = list(case.scope.select_related("subscription"))
        fitting = [s for s in scopes if subscription in ("", s.subscription.billsby_id)]
        if len(fitting) != 1:
            names = ", ".join(s.subscription.billsby_id for s in scopes)
            refuse(f"Say which subscription with --subscription: {names}.", as_json=as_json)
        services.release_hold(case, by=user(by), scope=fitting[0])
        _say(case, as_json=as_json)


@app.command("take-back")
def take_back(
    number: Number,
    *,
    by: As,
    why: Annotated[str, typer.Option(help="Why the decision is taken back.")],
    as_json: AsJson = False,
) -> None:
    """Bring a decided case back into retention."""
    with answering(as_json=as_json):
        from canceldesk.closing import services

        _listen()
        case = _case(number)
        services.take_back(case, by=user(by), why=why)
        _say(case, as_json=as_json)


@app.command()
def retry(number: Number, *, by: As, as_json: AsJson = False) -> None:
    """Have the desk try again at once."""
    with answering(as_json=as_json):
        from canceldesk.cases import services

        _listen()
        case = _case(number)
        services.retry(case, by=user(by))
        _say(case, as_json=as_json)


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
            case = _case(number)
            made = engine.make_passes(case.pk, owner=engine.executor_id())
            if not made:
                refuse(f"{case.number} is being worked on by a worker.", as_json=as_json)
            case.refresh_from_db()
            _say(case, as_json=as_json)
            return
        made = engine.run_due()
        say_json({"done": True, "passes": made}) if as_json else typer.echo(f"{made} passes made.")


# ------------------------------------------------------------------ finding what is meant


def _listen() -> None:
    from canceldesk import engine

    engine.listen()


def _case(number: str) -> Case:
    from canceldesk.cases.models import Case

    digits = number.upper().removeprefix("C-")
    case = (
        Case.objects.select_related("client", "reason", "decided_by").filter(pk=int(digits)).first()
        if digits.isdecimal()
        else None
    )
    if case is None:
        refuse(f"There is no case {number}.")
    return case


def _client(query: str, *, as_json: bool) -> Client:
    from canceldesk.clients import search
    from canceldesk.clients.models import Client

    exact = Client.objects.filter(billsby_id=query.strip()).first()
    if exact is not None:
        return exact
    found = search.find(query)
    if not found:
        refuse(f"No client fits “{query}”.", as_json=as_json)
    if len(found) > 1:
        names = ", ".join(f"{one.name} ({one.billsby_id})" for one in found)
        refuse(f"Several clients fit “{query}”: {names}. Give the Billsby ID.", as_json=as_json)
    return found[0]


def _scope(client: Client, ids: list[str], *, as_json: bool) -> list[Subscription]:
    from canceldesk.clients.refreshing import subscriptions_of

    there = subscriptions_of(client)
    if ids:
        unknown = [one for one in ids if one not in {s.billsby_id for s in there}]
        if unknown:
            refuse(f"{client.name} has no subscription {unknown[0]}.", as_json=as_json)
        return [s for s in there if s.billsby_id in ids]
    live = [s for s in there if not s.is_stopped]
    if len(live) > 1:
        names = ", ".join(f"{s} ({s.billsby_id})" for s in live)
        refuse(f"{client.name} has several: {names}. Choose with --subscription.", as_json=as_json)
    return live


def _choice(choices: Any, text: str, name: str) -> Any:  # noqa: ANN401 - any TextChoices
    try:
        return choices(text)
    except ValueError as problem:
        raise typer.BadParameter(
            f"“{text}” is none of {', '.join(choices.values)}.", param_hint=name
        ) from problem


def _reason(key: str) -> Any:  # noqa: ANN401 - a model that cannot be imported up there
    from canceldesk.cases.models import Reason

    found = Reason.objects.filter(key=key).first()
    if found is None:
        keys = ", ".join(Reason.objects.filter(is_offered=True).values_list("key", flat=True))
        raise typer.BadParameter(f"“{key}” is none of {keys}.", param_hint="--reason")
    return found


# ------------------------------------------------------------------ saying it


def _as_dict(case: Case) -> dict[str, Any]:
    return {
        "done": True,
        "number": case.number,
        "state": case.state,
        "client": {"billsby_id": case.client.billsby_id, "name": case.client.name},
        "subscriptions": [
            scope.subscription.billsby_id for scope in case.scope.select_related("subscription")
        ],
        "wish": case.wish,
        "reason": case.reason.key,
        "decision": case.decision,
        "decided_by": case.decided_by.email if case.decided_by else None,
        "received_at": case.received_at,
        "ended_at": case.ended_at,
        "next_charge_at": case.next_charge_at,
        "next_charge_minor": case.next_charge_minor,
        "currency": case.currency,
        "waits_for": case.waits_for,
        "waits_sentence": case.waits_sentence,
        "attention": case.attention,
    }


def _say(case: Case, *, as_json: bool = False) -> None:
    case.refresh_from_db()
    if as_json:
        say_json(_as_dict(case))
        return
    typer.echo(f"{case.number}  {case.client.name} ({case.client.billsby_id})")
    typer.echo(f"  {case.get_state_display()}. {case.attention or case.waits_sentence}".rstrip())


def _table(cases: list[Case]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("Case", "Client", "State", "Next charge", "Waits for", box=None)
    for case in cases:
        charge = f"{case.next_charge_at:%Y-%m-%d}" if case.next_charge_at else ""
        waits = case.attention or case.waits_sentence
        table.add_row(case.number, case.client.name, case.get_state_display(), charge, waits)
    Console().print(table if cases else "There is no such case.")


def _say_invoices(waiting: list[dict[str, object]]) -> None:
    from canceldesk.closing.shown import money

    if not waiting:
        typer.echo("Nothing waits for approval.")
    for one in waiting:
        amount = money(int(str(one["amount_minor"])), str(one["currency"]))
        typer.echo(f"{one['number']}  {amount}  {one['status']}")
