"""The practice page: what no Billsby has. The clock, quirks, faults, and what happened."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from pydantic import ValidationError
from werkzeug.wrappers import Response

from billsby_sandbox import faults, quirks
from billsby_sandbox.api.routes import company

blueprint = Blueprint("practice", __name__, url_prefix="/practice")

STEPS = {"hour": 1.0, "day": 24.0, "week": 7 * 24.0, "month": 30 * 24.0}
SHOWN = 15
FAULT_FIELDS = ("kind", "method", "path", "seconds", "status", "retry_after", "rubbish", "times")


@blueprint.get("/")
def overview() -> str:
    """Everything that can be set, and the latest of what happened."""
    shop = company()
    return render_template(
        "panel/practice.html",
        steps=STEPS,
        quirks=quirks.REGISTRY.values(),
        values=shop.quirks(),
        faults=shop.faults(),
        kinds=faults.KINDS,
        down=faults.is_down(shop.books),
        ways=faults.DOWN_WAYS,
        history=shop.history()[: -SHOWN - 1 : -1],
        calls=shop.calls()[: -SHOWN - 1 : -1],
        webhooks=shop.webhooks()[: -SHOWN - 1 : -1],
    )


@blueprint.post("/clock")
def advance() -> Response:
    """Move the clock one step."""
    step = request.form.get("step", "day")
    done = company().advance(hours=STEPS.get(step, STEPS["day"]))
    return _told(f"One {step} later. Billing did {done} things.")


@blueprint.post("/quirks")
def set_quirks() -> Response:
    """Set every quirk as the form says."""
    shop = company()
    try:
        with shop.transaction():
            for name, present in shop.quirks().items():
                value = request.form.get(name, present)
                if value != present:
                    shop.set_quirk(name, value)
    except ValueError as error:
        return _told(str(error), "refused")
    return _told("The quirks are set.")


@blueprint.post("/down")
def set_down() -> Response:
    """Take the API down or bring it up."""
    try:
        company().set_down(request.form.get("how", "no"))
    except ValueError as error:
        return _told(str(error), "refused")
    return _told("Done.")


@blueprint.post("/faults")
def add_fault() -> Response:
    """Add a rule; fields left empty keep their default."""
    given = {name: text for name in FAULT_FIELDS if (text := request.form.get(name, "").strip())}
    try:
        company().add_fault(**given)
    except ValidationError as error:
        return _told(str(error.errors()[0]["msg"]), "refused")
    return _told("The fault is set.")


@blueprint.post("/faults/<int:fault_id>/remove")
def remove_fault(fault_id: int) -> Response:
    """Drop one rule."""
    company().clear_faults(fault_id)
    return _told("The fault is removed.")


@blueprint.post("/customers/<uid>/card")
def set_card(uid: str) -> Response:
    """Make a customer's card work or fail."""
    good = request.form.get("good") == "yes"
    company().set_card(uid, good=good)
    flash("The card works." if good else "The card fails from now on.", "done")
    return redirect(url_for("panel.customers.view", uid=uid))


def _told(words: str, kind: str = "done") -> Response:
    flash(words, kind)
    return redirect(url_for(".overview"))
