"""The practice calls: what no Billsby has, for those who practise and test. JSON, no key.

GET    /_practice/state                       the company at a glance
GET    /_practice/quirks                      every quirk with meaning, values, default and value
PUT    /_practice/quirks                      {"name": "value", ...}
GET    /_practice/faults                      the fault rules
POST   /_practice/faults                      a rule, see faults.FaultRule
DELETE /_practice/faults, /_practice/faults/7 drop all or one
POST   /_practice/clock                       {"days": 1, "hours": 2}: move forward and bill
PUT    /_practice/down                        {"how": "no" | "503" | "refuse"}
PUT    /_practice/customers/ID/card           {"good": false}
GET    /_practice/history?after=0             everything that happened
GET    /_practice/calls?after=0               every API call that arrived
GET    /_practice/webhooks                    every webhook with its state
POST   /_practice/reset                       {"seed": 7}: start over, with no seed empty
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TypeVar

from flask import Blueprint, Response, request
from pydantic import BaseModel, ConfigDict, ValidationError

from billsby_sandbox import faults, quirks, seed, webhooks
from billsby_sandbox.api.routes import as_json, company
from billsby_sandbox.books import as_json as record_as_json
from billsby_sandbox.errors import Refused
from billsby_sandbox.words import InvoiceStatus, SubscriptionStatus

blueprint = Blueprint("practice", __name__, url_prefix="/_practice")


class ClockMove(BaseModel):
    """How far forward."""

    model_config = ConfigDict(extra="forbid")

    days: float = 0
    hours: float = 0


class Down(BaseModel):
    """How the API is down."""

    how: str


class Card(BaseModel):
    """Whether a customer's card works."""

    good: bool


class StartOver(BaseModel):
    """Whether and from which number to fill the books again."""

    seed: int | None = None


class QuirkValues(BaseModel):
    """Values by quirk name."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, str | int | bool]


Body = TypeVar("Body", bound=BaseModel)


def _sent(body: type[Body]) -> Body:
    return body.model_validate_json(request.get_data() or b"{}")


@blueprint.errorhandler(ValueError)
def not_understood(error: ValueError) -> Response:
    """400 with the reason, for quirks, faults and times that do not exist."""
    reason = str(error.errors()[0]["msg"]) if isinstance(error, ValidationError) else str(error)
    return as_json({"error": reason}, 400)


@blueprint.errorhandler(Refused)
def refused(error: Refused) -> Response:
    """The refusal's code with its words."""
    return as_json({"error": error.words}, error.code)


@blueprint.get("/state")
def state() -> Response:
    """The clock, whether the API is down, and how many there are of what."""
    shop = company()
    subscriptions, invoices = shop.subscriptions(), shop.invoices()
    return as_json(
        {
            "company": shop.books.domain,
            "now": shop.now().isoformat(),
            "offset_seconds": shop.books.offset().total_seconds(),
            "down": faults.is_down(shop.books),
            "customers": len(shop.customers()),
            "subscriptions": {
                status.value: sum(one.status is status for one in subscriptions)
                for status in SubscriptionStatus
            },
            "invoices": {
                status.value: sum(one.status is status for one in invoices)
                for status in InvoiceStatus
            },
            "webhooks_waiting": sum(one.state == "waiting" for one in shop.webhooks()),
        }
    )


@blueprint.get("/quirks")
def list_quirks() -> Response:
    """The registry with the present values."""
    values = company().quirks()
    return as_json(
        [
            {
                "name": quirk.name,
                "meaning": quirk.meaning,
                "values": list(quirk.values) or "a whole number",
                "default": quirk.default,
                "value": values[quirk.name],
            }
            for quirk in quirks.REGISTRY.values()
        ]
    )


@blueprint.put("/quirks")
def set_quirks() -> Response:
    """Set some quirks; all or, when one is not understood, none."""
    shop = company()
    values = _sent(QuirkValues).__pydantic_extra__
    with shop.transaction():
        for name, value in values.items():
            shop.set_quirk(name, value)
    return as_json(shop.quirks())


@blueprint.get("/faults")
def list_faults() -> Response:
    """The fault rules with their counts."""
    return _records(company().faults())


@blueprint.post("/faults")
def add_fault() -> Response:
    """Add a rule."""
    rule = _sent(faults.FaultRule)
    return Response(
        record_as_json(company().add_fault(**rule.model_dump())),
        status=201,
        mimetype="application/json",
    )


@blueprint.delete("/faults")
def clear_faults() -> Response:
    """Drop all rules."""
    company().clear_faults()
    return as_json([])


@blueprint.delete("/faults/<int:fault_id>")
def drop_fault(fault_id: int) -> Response:
    """Drop one rule."""
    shop = company()
    shop.clear_faults(fault_id)
    return _records(shop.faults())


@blueprint.post("/clock")
def move_clock() -> Response:
    """Move the clock forward and do the billing that falls due."""
    shop = company()
    move = _sent(ClockMove)
    done = shop.advance(days=move.days, hours=move.hours)
    return as_json({"now": shop.now().isoformat(), "billing_steps": done})


@blueprint.put("/down")
def set_down() -> Response:
    """Take the API down or bring it up."""
    how = _sent(Down).how
    company().set_down(how)
    return as_json({"down": how})


@blueprint.put("/customers/<uid>/card")
def set_card(uid: str) -> Response:
    """Make a customer's card work or fail."""
    good = _sent(Card).good
    company().set_card(uid, good=good)
    return as_json({"customerUniqueId": uid, "good": good})


@blueprint.get("/history")
def history() -> Response:
    """What happened after the entry of that id."""
    return _records(company().history(_after()))


@blueprint.get("/calls")
def calls() -> Response:
    """The API calls that arrived after the one of that id."""
    return _records(company().calls(_after()))


@blueprint.get("/webhooks")
def list_webhooks() -> Response:
    """Every webhook, sent or not."""
    return as_json([webhooks.as_dict(one) for one in company().webhooks()])


@blueprint.post("/reset")
def reset() -> Response:
    """Start over."""
    shop = company()
    number = _sent(StartOver).seed
    with shop.transaction():
        shop.reset()
        if number is not None:
            seed.fill(shop, number)
    return as_json({"customers": len(shop.customers())})


def _after() -> int:
    return int(request.args.get("after", "0"))


def _records(found: Sequence[object]) -> Response:
    return as_json([json.loads(record_as_json(one)) for one in found])
