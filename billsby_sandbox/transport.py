"""Call the practice Billsby from httpx without a network, with the errors a network would give."""

from __future__ import annotations

import httpx
from flask import Flask

from billsby_sandbox.errors import ConnectionCut, ReplyNeverCame


class InProcessTransport(httpx.BaseTransport):
    """`httpx.Client(transport=InProcessTransport(create_app(company)))`.

    A connection cut on purpose is raised as httpx.RemoteProtocolError and a timeout as
    httpx.ReadTimeout, as a real server's would be.
    """

    def __init__(self, app: Flask) -> None:
        self._wsgi = httpx.WSGITransport(app=app)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        try:
            return self._wsgi.handle_request(request)
        except ReplyNeverCame as error:
            raise httpx.ReadTimeout(str(error), request=request) from error
        except ConnectionCut as error:
            raise httpx.RemoteProtocolError(
                "Server disconnected without sending a response.", request=request
            ) from error
