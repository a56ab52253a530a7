"""A small control panel in the manner of Billsby's, for people who practise (billsby.md 7)."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from billsby_sandbox.api.rendering import formatted
from billsby_sandbox.api.routes import company
from billsby_sandbox.panel import customers, invoices, practice, subscriptions
from billsby_sandbox.words import LABELS

POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def create_blueprint() -> Blueprint:
    """The panel's pages, below /panel."""
    blueprint = Blueprint(
        "panel",
        __name__,
        url_prefix="/panel",
        template_folder="templates",
        static_folder="static",
    )
    for part in (subscriptions, customers, invoices, practice):
        blueprint.register_blueprint(part.blueprint)

    @blueprint.get("/")
    def home() -> AnyResponse:
        return redirect(url_for("panel.subscriptions.every"))

    @blueprint.context_processor
    def company_now() -> dict[str, object]:
        return {"domain": company().books.domain, "now": company().now()}

    @blueprint.after_request
    def keep_to_policy(response: Response) -> Response:
        response.headers["Content-Security-Policy"] = POLICY
        response.headers["Cache-Control"] = "no-store"
        return response

    return blueprint


def add_filters(app: Flask) -> None:
    """What the templates need to write amounts, moments and states."""
    app.jinja_env.filters["money"] = formatted
    app.jinja_env.filters["label"] = LABELS.__getitem__
    app.jinja_env.filters["moment"] = lambda at: at.strftime("%d %b %Y, %H:%M")
    app.jinja_env.filters["day"] = lambda at: at.strftime("%d %b %Y")
