"""Whether `canceldesk serve` keeps its memory after thousands of closings.

`python bench/memory.py [--cases 3000] [--each 1000] [--database sqlite]` files, decides (full
cancellation) and closes cases in one `canceldesk serve`, whose pages are asked for all the while,
and prints its memory after every thousand closings. Billsby is another process and answers at
once. After each thousand the workbook is put back to its empty list, so that the process is
measured and not how much room a list of many rows takes; the database keeps every case. On SQLite
unless told otherwise. The figure that is wanted needs `--cases 10000`, which takes half an hour.

How to read it: "RSS" is what the process holds, libraries included; "PSS" counts what it shares
with other processes by parts. Wanted: with the last thousand within 10 % of what it was after the
first, by which time every cache has filled.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import httpx
from desk import CANCELDESK, SQLITE, Desk, decided, let_go, parser, standing, under_way, user
from processes import free_port, wait_until

if TYPE_CHECKING:
    from django.db.models import Q

OWING = 4
EVERY = 0.5
WITHIN = 1200.0
PAGES = ("/", "/today/live/", "/retention/", "/clients/")


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--cases", type=int, default=3_000)
    options.add_argument("--each", type=int, default=1_000, help="cases between two figures")
    chosen = options.parse_args()
    address = f"127.0.0.1:{free_port()}"
    database = chosen.database or SQLITE
    with standing(database, clients=chosen.cases, owing=OWING, LISTEN=address, WORKERS=8) as desk:
        serve = desk.start("serve", CANCELDESK, "serve")
        empty = desk.workbook.read_bytes()
        first = 0.0
        with _pages_asked_for(f"http://{address}"):
            for done in range(0, chosen.cases, chosen.each):
                began, cpu = time.monotonic(), serve.cpu()
                _close(desk, done, done + chosen.each)
                rss, pss = (serve.memory(kind) / 2**20 for kind in ("Rss", "Pss"))
                first = first or rss
                took = time.monotonic() - began
                print(
                    f"{database:10} {done + chosen.each:6,} closings: RSS {rss:6.1f} MiB, PSS "
                    f"{pss:6.1f} MiB, {rss / first:5.3f} x the first; {chosen.each / took:5.1f} "
                    f"closings/s, CPU {1000 * (serve.cpu() - cpu) / chosen.each:4.0f} ms each",
                    flush=True,
                )
                desk.workbook.write_bytes(empty)


def _close(desk: Desk, start: int, end: int) -> None:
    cases = decided(desk.practice.people[start:end], "cancel")
    let_go(cases)
    wait_until(lambda: not under_way(cases, _open()), "all are closed", within=WITHIN, every=1)


def _open() -> Q:
    from django.db.models import Q

    from canceldesk.cases.models import State

    return Q(state=State.CLOSING)


@contextlib.contextmanager
def _pages_asked_for(url: str) -> Iterator[None]:
    """Somebody has the desk's pages open while the block runs."""
    from django.conf import settings
    from django.test import Client

    signed_in = Client()
    signed_in.force_login(user("manager"), "allauth.account.auth_backends.AuthenticationBackend")
    cookie = signed_in.cookies[settings.SESSION_COOKIE_NAME].value
    over = threading.Event()

    def ask() -> None:
        cookies = {settings.SESSION_COOKIE_NAME: cookie}
        with httpx.Client(base_url=url, cookies=cookies, trust_env=False, timeout=60) as browser:
            while not over.wait(EVERY):
                for page in PAGES:
                    browser.get(page).raise_for_status()

    person = threading.Thread(target=ask)
    person.start()
    try:
        yield
    finally:
        over.set()
        person.join()


if __name__ == "__main__":
    main()
