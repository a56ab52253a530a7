"""What a command about a case means, and what it says in the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

from canceldesk.commands.answering import refuse, say_json

if TYPE_CHECKING:
    from canceldesk.cases.models import Case
    from canceldesk.clients.models import Client, Subscription

# ------------------------------------------------------------------ finding what is meant


def listen() -> None:
    """Have workers hear of what this command wakes."""
    from canceldesk import engine

    engine.listen()


def case_of(number: str) -> Case:
    """The case of that number; refuses when there is none."""
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


def client_of(query: str, *, as_json: bool) -> Client:
    """The one client that fits; refuses when none or several do. Nobody is there to see whose name
    is only nearly what was typed, so such names are offered, not taken.
    """
    from canceldesk.clients import search
    from canceldesk.clients.models import Client

    exact = Client.objects.filter(billsby_id=query.strip()).first()
    if exact is not None:
        return exact
    found = list(search.matching(query)[: search.MOST_SHOWN])
    if not found:
        alike = search.alike(query, search.MOST_SHOWN)
        offered = f" Nearly alike: {_named(alike)}. Give the Billsby ID." if alike else ""
        refuse(f"No client fits “{query}”.{offered}", as_json=as_json)
    if len(found) > 1:
        refuse(
            f"Several clients fit “{query}”: {_named(found)}. Give the Billsby ID.",
            as_json=as_json,
        )
    return found[0]


def _named(clients: list[Client]) -> str:
    return ", ".join(f"{one.name} ({one.billsby_id})" for one in clients)


def scope_of(client: Client, ids: list[str], *, as_json: bool) -> list[Subscription]:
    """The subscriptions of those IDs, else the only one that still runs; refuses otherwise, also
    where it is only by the desk's copy that none runs.
    """
    from canceldesk.clients.refreshing import subscriptions_of

    there = subscriptions_of(client)
    if ids:
        unknown = [one for one in ids if one not in {s.billsby_id for s in there}]
        if unknown:
            refuse(f"{client.name} has no subscription {unknown[0]}.", as_json=as_json)
        return [s for s in there if s.billsby_id in ids]
    live = [s for s in there if not s.is_stopped]
    names = ", ".join(f"{s} ({s.billsby_id})" for s in live or there)
    if len(live) > 1:
        refuse(f"{client.name} has several: {names}. Choose with --subscription.", as_json=as_json)
    if there and not live:
        refuse(
            f"{client.name} has nothing that runs, as far as the desk knows: {names}. Choose with "
            "--subscription.",
            as_json=as_json,
        )
    return live


def choice(choices: Any, text: str, name: str) -> Any:  # noqa: ANN401 - any TextChoices
    """The choice that is meant; ends the command with those there are when there is none."""
    try:
        return choices(text)
    except ValueError as problem:
        raise typer.BadParameter(
            f"“{text}” is none of {', '.join(choices.values)}.", param_hint=name
        ) from problem


def reason_of(key: str) -> Any:  # noqa: ANN401 - a model that cannot be imported up there
    """The reason of that key; ends the command with those there are when there is none."""
    from canceldesk.cases.models import Reason

    found = Reason.objects.filter(key=key).first()
    if found is None:
        keys = ", ".join(Reason.objects.filter(is_offered=True).values_list("key", flat=True))
        raise typer.BadParameter(f"“{key}” is none of {keys}.", param_hint="--reason")
    return found


# ------------------------------------------------------------------ saying it


def as_dict(case: Case) -> dict[str, Any]:
    """A case for machines."""
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


def say(case: Case, *, as_json: bool = False) -> None:
    """Say where a case stands now."""
    case.refresh_from_db()
    if as_json:
        say_json(as_dict(case))
        return
    typer.echo(f"{case.number}  {case.client.name} ({case.client.billsby_id})")
    typer.echo(f"  {case.get_state_display()}. {case.attention or case.waits_sentence}".rstrip())


def row_state(case: Case) -> str:
    """What the desk has done about the case's row on the list, in words."""
    from canceldesk.closing.models import Intent

    row = case.intents.filter(kind=Intent.Kind.ROW).first()
    return row.get_state_display() if row else "Not written"


def say_table(cases: list[Case]) -> None:
    """Cases for people, one a line."""
    from rich.console import Console
    from rich.table import Table

    table = Table("Case", "Client", "State", "Next charge", "Waits for", box=None)
    for case in cases:
        charge = f"{case.next_charge_at:%Y-%m-%d}" if case.next_charge_at else ""
        waits = case.attention or case.waits_sentence
        table.add_row(case.number, case.client.name, case.get_state_display(), charge, waits)
    Console().print(table if cases else "There is no such case.")


def only_a_person_can_place(case: Case) -> list[dict[str, object]]:
    """Open invoices of which nobody knows whether they are for what stops or for what stays."""
    from canceldesk.closing.models import Step

    step = Step.objects.filter(case=case, name=Step.Name.CLEAR).first()
    return list(step.evidence.get("may_approve", [])) if step else []


def say_invoices(waiting: list[dict[str, object]], unplaced: list[dict[str, object]]) -> None:
    """Invoices that wait for approval and those only a person can place, for people."""
    from canceldesk.closing.shown import money

    if not waiting:
        typer.echo("Nothing waits for approval.")
    for one in [*waiting, *unplaced]:
        amount = money(int(str(one["amount_minor"])), str(one["currency"]))
        hint = (
            "  (perhaps for a service that stays: only with --invoice)" if one in unplaced else ""
        )
        typer.echo(f"{one['number']}  {amount}  {one['status']}{hint}")


def why_no_pass(case: Case) -> str:
    """Why a pass over a case came to nothing, as a sentence."""
    from canceldesk import clock

    if case.lease_until is not None and case.lease_until >= clock.now():
        return f"{case.number} is being worked on by a worker."
    return (
        f"The pass over {case.number} did not come to its end, because the case changed while it "
        "ran or for what the log on this screen says. It stays due; look at it again."
    )
