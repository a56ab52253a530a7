"""The command `billsby-sandbox`: serve the practice Billsby, and steer one that is running."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated

import httpx
import typer

from billsby_sandbox import faults, quirks, seed, server
from billsby_sandbox.company import Company

DEFAULT_PORT = 8902
DEFAULT_DOMAIN = "brightpath"
SECONDS = 60.0

app = typer.Typer(
    help="A Billsby to practise on. Nothing in it is real.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)

Url = Annotated[
    str, typer.Option("--url", help="Where the practice Billsby runs.", show_default=True)
]
DEFAULT_URL = f"http://127.0.0.1:{DEFAULT_PORT}"


def practice_key(domain: str) -> str:
    """The API key of a practice company that was given none, in the form of a real one."""
    return f"{domain}_{hashlib.sha256(domain.encode()).hexdigest()[:32]}"


@app.command()
def serve(
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = DEFAULT_PORT,
    db: Annotated[Path, typer.Option(help="The SQLite file; kept between starts.")] = Path(
        "billsby-sandbox.sqlite3"
    ),
    company: Annotated[str, typer.Option(help="The company domain.")] = DEFAULT_DOMAIN,
    key: Annotated[
        str,
        typer.Option(envvar="BILLSBY_SANDBOX_KEY", help="The API key; made up when not given."),
    ] = "",
    webhook_url: Annotated[str, typer.Option(help="Where webhooks are posted.")] = "",
    webhook_secret: Annotated[
        str,
        typer.Option(envvar="BILLSBY_SANDBOX_WEBHOOK_SECRET", help="Their Secret header."),
    ] = "",
    quirk: Annotated[
        list[str] | None, typer.Option(help="name=value; may be given several times.")
    ] = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(help="kind=drop_after,method=PUT,path=*/WrittenOff,times=1; several times."),
    ] = None,
    seed_number: Annotated[
        int, typer.Option("--seed", help="Fill an empty company from this number.")
    ] = seed.DEFAULT_SEED,
    empty: Annotated[bool, typer.Option(help="Leave a new company empty.")] = False,
) -> None:
    """Run the API, the webhooks and the control panel until Ctrl-C."""
    shop = Company.open(db, domain=company, api_key=key or practice_key(company))
    shop.set_webhook(webhook_url, webhook_secret)
    try:
        for name, value in _pairs(quirk or []):
            shop.set_quirk(name, value)
        if fault:
            shop.clear_faults()
        for text in fault or []:
            rule = dict(_pairs(text.split(",")))
            shop.add_fault(**rule)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    if not empty and not shop.customers():
        seed.fill(shop, seed_number)
    typer.echo(f"API    http://{host}:{port}{faults.BASE}/{company}/")
    typer.echo(f"Key    {shop.books.api_key}" if not key else "Key    as given")
    typer.echo(f"Panel  http://{host}:{port}/panel/")
    try:
        server.serve(shop, host, port)
    finally:
        shop.close()


@app.command("quirks")
def quirks_(
    changes: Annotated[
        list[str] | None, typer.Argument(help="name=value to set in the running server.")
    ] = None,
    url: Url = DEFAULT_URL,
    as_json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """List what Billsby leaves open, or set some of it in a running server."""
    if changes:
        _say(_call("PUT", f"{url}/_practice/quirks", dict(_pairs(changes))))
        return
    if as_json:
        _say([vars(quirk) for quirk in quirks.REGISTRY.values()])
        return
    for quirk in quirks.REGISTRY.values():
        values = " | ".join(quirk.values) or "a whole number"
        typer.echo(f"{quirk.name} = {quirk.default}   ({values})\n    {quirk.meaning}")


@app.command()
def advance(
    days: Annotated[float, typer.Option(help="Days forward.")] = 0,
    hours: Annotated[float, typer.Option(help="Hours forward.")] = 0,
    url: Url = DEFAULT_URL,
) -> None:
    """Move the clock of a running server forward and do the billing that falls due."""
    _say(_call("POST", f"{url}/_practice/clock", {"days": days, "hours": hours}))


@app.command("fault")
def fault_(
    rule: Annotated[
        str, typer.Argument(help="kind=status,status=429,retry_after=2,path=*/customers,times=3")
    ],
    url: Url = DEFAULT_URL,
) -> None:
    """Make matching API calls of a running server go wrong."""
    _say(_call("POST", f"{url}/_practice/faults", dict(_pairs(rule.split(",")))))


@app.command("faults")
def faults_(
    url: Url = DEFAULT_URL,
    clear: Annotated[bool, typer.Option("--clear", help="Drop them all.")] = False,
) -> None:
    """List or drop the fault rules of a running server."""
    _say(_call("DELETE" if clear else "GET", f"{url}/_practice/faults"))


@app.command()
def down(
    how: Annotated[str, typer.Argument(help="no, 503 or refuse")] = "503",
    url: Url = DEFAULT_URL,
) -> None:
    """Take the API of a running server down, or bring it up with `down no`."""
    _say(_call("PUT", f"{url}/_practice/down", {"how": how}))


@app.command()
def card(
    customer: Annotated[str, typer.Argument(help="The Customer ID.")],
    good: Annotated[bool, typer.Option("--good/--bad", help="Whether it works.")] = True,
    url: Url = DEFAULT_URL,
) -> None:
    """Make a customer's card work or fail in a running server."""
    _say(_call("PUT", f"{url}/_practice/customers/{customer}/card", {"good": good}))


@app.command()
def state(url: Url = DEFAULT_URL) -> None:
    """Show a running server's company at a glance."""
    _say(_call("GET", f"{url}/_practice/state"))


@app.command()
def history(
    after: Annotated[int, typer.Option(help="Only what came after this id.")] = 0,
    url: Url = DEFAULT_URL,
) -> None:
    """Show everything that happened in a running server."""
    _say(_call("GET", f"{url}/_practice/history?after={after}"))


@app.command()
def reset(
    seed_number: Annotated[
        int, typer.Option("--seed", help="The number to fill it from.")
    ] = seed.DEFAULT_SEED,
    empty: Annotated[bool, typer.Option(help="Leave it empty.")] = False,
    url: Url = DEFAULT_URL,
) -> None:
    """Start a running server's company over."""
    body = {} if empty else {"seed": seed_number}
    _say(_call("POST", f"{url}/_practice/reset", body))


def _pairs(texts: list[str]) -> list[tuple[str, str]]:
    pairs = [text.partition("=") for text in texts]
    for name, equals, _ in pairs:
        if not equals:
            raise typer.BadParameter(f"{name!r} is not of the form name=value.")
    return [(name.strip(), value.strip()) for name, _, value in pairs]


def _call(method: str, url: str, body: object = None) -> object:
    try:
        reply = httpx.request(method, url, json=body, timeout=SECONDS, trust_env=False)
    except httpx.HTTPError as error:
        typer.echo(f"No practice Billsby answers at {url}: {error}", err=True)
        raise typer.Exit(1) from error
    if reply.is_error:
        typer.echo(reply.json().get("error", reply.text), err=True)
        raise typer.Exit(1)
    return reply.json()


def _say(value: object) -> None:
    typer.echo(json.dumps(value, indent=2))


def main() -> None:
    """Run the command."""
    app()
