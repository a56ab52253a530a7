"""The practice Billsby as a real server: waitress, billing in real time, webhooks on their way."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator

from waitress.server import BaseWSGIServer, create_server

from billsby_sandbox.app import create_app
from billsby_sandbox.company import Company

_logger = logging.getLogger(__name__)

TICK_SECONDS = 1.0
THREADS = 12
"""Calls at once; those held back by a fault sit on a thread meanwhile."""


def build(company: Company, host: str, port: int) -> BaseWSGIServer:
    """A server bound to an address, not yet running.

    Socket errors are not logged: with that waitress closes the socket without a reply when the
    application raises ConnectionCut.
    """
    server = create_server(
        create_app(company, sleep=time.sleep),
        host=host,
        port=port,
        threads=THREADS,
        log_socket_errors=False,
        clear_untrusted_proxy_headers=True,
    )
    assert isinstance(server, BaseWSGIServer)  # noqa: S101 - one host makes one server
    return server


@contextlib.contextmanager
def living(company: Company, seconds: float = TICK_SECONDS) -> Iterator[None]:
    """Let billing and webhooks run in the background while the block runs."""
    stop = threading.Event()
    threads = [
        threading.Thread(target=_repeat, args=(action, seconds, stop), daemon=True)
        for action in (company.tick, company.deliver_webhooks)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _repeat(action: Callable[[], int], seconds: float, stop: threading.Event) -> None:
    while not stop.wait(seconds):
        try:
            action()
        except Exception:
            _logger.exception("The practice Billsby stumbled and goes on")


def serve(company: Company, host: str, port: int) -> None:
    """Serve until interrupted."""
    server = build(company, host, port)
    with living(company):
        server.run()
