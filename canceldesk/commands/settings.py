"""`canceldesk settings`: what the desk goes by."""

from __future__ import annotations

from canceldesk.commands.answering import AsJson, answering, say_json


def settings(as_json: AsJson = False) -> None:
    """Show every setting and where it comes from; of a secret only whether it is set."""
    with answering(as_json=as_json):
        from canceldesk.configuration import services
        from canceldesk.configuration.definitions import SETTINGS, Kind

        rows = [
            {
                "name": one.name,
                "variable": one.variable,
                "value": _secret(services.is_set(one.name))
                if one.kind is Kind.SECRET
                else services.shown(one.name),
                "from": _source(one.name, default=one.default),
                "problem": services.problem(one.name),
            }
            for one in SETTINGS
        ]
        if as_json:
            say_json(rows)
            return
        _table(rows)


def _secret(is_set: bool) -> str:
    return "(set)" if is_set else ""


def _source(name: str, *, default: str) -> str:
    from canceldesk.configuration import services
    from canceldesk.configuration.definitions import BY_NAME
    from canceldesk.configuration.models import StoredSetting

    if services.is_fixed(name):
        return "environment or settings file"
    if BY_NAME[name].on_page and StoredSetting.objects.filter(name=name).exists():
        return "Settings page"
    return "default"


def _table(rows: list[dict[str, str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table("Variable", "Value", "From", box=None)
    for row in rows:
        table.add_row(row["variable"], row["problem"] or row["value"], row["from"])
    Console().print(table)
