"""Routing shared by the API's parts: the key, the company domain, one transaction for each call."""

from __future__ import annotations

import functools
import hmac
import html
import json
from collections.abc import Callable

from flask import Blueprint, Response, current_app, request

from billsby_sandbox.books import Books
from billsby_sandbox.company import Company
from billsby_sandbox.errors import NotFound, Refused

EXTENSION = "billsby_sandbox"
"""Under this name the application keeps its company."""

View = Callable[..., object]


def company() -> Company:
    """The company of the application at hand."""
    found = current_app.extensions[EXTENSION]
    assert isinstance(found, Company)  # noqa: S101 - create_app put it there
    return found


def route(blueprint: Blueprint, method: str, path: str) -> Callable[[View], View]:
    """Register a view that takes the books and the path's parts and gives what is sent as JSON.

    A path that starts with `/<domain>/` answers for the company's own domain only. What the view
    changed is committed before the reply is sent; a refusal changes nothing.
    """

    def register(view: View) -> View:
        @functools.wraps(view)
        def call(**parts: str) -> Response:
            shop = company()
            try:
                _check_key(shop.books)
                if parts.pop("domain", shop.books.domain) != shop.books.domain:
                    raise NotFound("Company not found")
                with shop.transaction() as books:
                    given = view(books, **parts)
            except Refused as refused:
                return refusal(shop.books, refused)
            if isinstance(given, Response):
                return given
            return as_json(given)

        blueprint.add_url_rule(path, view.__name__, call, methods=[method])
        return view

    return register


def _check_key(books: Books) -> None:
    if not hmac.compare_digest(request.headers.get("ApiKey", "").encode(), books.api_key.encode()):
        raise Refused("The API key is not valid.", code=401)


def as_json(value: object, code: int = 200) -> Response:
    """A JSON reply."""
    return Response(json.dumps(value), status=code, mimetype="application/json")


def as_text(value: str) -> Response:
    """A plain text reply, which Billsby gives to charges and refunds."""
    return Response(value, mimetype="text/plain")


def refusal(books: Books, refused: Refused) -> Response:
    """A refusal in the shape the quirk asks for; by default just `{}`."""
    shape = books.quirk("error_body")
    if shape == "html":
        body = f"<html><body><h1>{html.escape(refused.words)}</h1></body></html>"
        return Response(body, status=refused.code, mimetype="text/html")
    if shape == "message" or isinstance(refused, SpokenRefusal):
        return as_json({"message": refused.words}, refused.code)
    return as_json({}, refused.code)


class SpokenRefusal(Refused):
    """A refusal that carries its words whatever the error body quirk says."""
