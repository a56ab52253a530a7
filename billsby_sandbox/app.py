"""The practice Billsby as a WSGI application: API, control panel and practice calls."""

from __future__ import annotations

import copy
import secrets
from collections.abc import Callable
from functools import lru_cache

from flask import Flask, redirect

from billsby_sandbox import panel, practice
from billsby_sandbox.api import customers, invoices, subscriptions
from billsby_sandbox.api.routes import EXTENSION
from billsby_sandbox.company import Company
from billsby_sandbox.faults import BASE, FaultyApi


def _no_wait(_seconds: float) -> None:
    """Tests within one process do not wait for delays."""


def create_app(company: Company, sleep: Callable[[float], None] = _no_wait) -> Flask:
    """The application over one company. `sleep` is how a delay or timeout waits."""
    app = copy.copy(_routed())
    app.extensions = {EXTENSION: company}
    app.wsgi_app = FaultyApi(app.wsgi_app, company.books, sleep)  # type: ignore[assignment,method-assign]
    return app


@lru_cache(maxsize=1)
def _routed() -> Flask:
    """The application over no company. Compiling its routes takes longer than many calls do, and
    tests make a company each.
    """
    app = Flask(__name__)
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.secret_key = secrets.token_bytes()
    for part in (customers, invoices, subscriptions):
        app.register_blueprint(part.blueprint, url_prefix=BASE)
    app.register_blueprint(practice.blueprint)
    app.register_blueprint(panel.create_blueprint())
    panel.add_filters(app)
    app.add_url_rule("/", "home", lambda: redirect("/panel/"))
    return app
