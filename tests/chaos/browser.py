"""A browser of one of the staff: it keeps its session, signs in again, and never raises."""

from __future__ import annotations

import contextlib
import re
import threading
from dataclasses import dataclass

import httpx

from tests.chaos.interfaces import Person

DEAD = 0
"""The status of an answer that never came."""
SIGN_IN = "/account/login/"
PATIENCE = httpx.Timeout(20.0, connect=5.0)
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_SERVER_TROUBLE = 500
_FORBIDDEN = 403
_BAD_REQUEST = 400
_REDIRECTS = range(300, 400)

Fields = dict[str, str | list[str]]


@dataclass(frozen=True)
class Answer:
    """What came back: `status` is `DEAD` when nothing did, `location` where it leads."""

    status: int
    text: str = ""
    location: str = ""

    @property
    def is_lost(self) -> bool:
        """Whether nobody can tell from it what was done. 400 is one of these: Django says so when
        the database is away while the session is stored, after everything else was done.
        """
        return self.status in {DEAD, _BAD_REQUEST} or self.status >= _SERVER_TROUBLE

    @property
    def leads_on(self) -> bool:
        """Whether what was sent was accepted."""
        return self.status in _REDIRECTS and not self.is_sign_in

    @property
    def is_sign_in(self) -> bool:
        """Whether it asks to sign in."""
        return self.status in _REDIRECTS and self.location.startswith(SIGN_IN)

    @property
    def is_stale(self) -> bool:
        """Whether the form's page was too old."""
        return self.status == _FORBIDDEN and "<h1>Please try again</h1>" in self.text


class Browser:
    """What somebody sits before. One thread at a time signs in; any may read and send.

    `transport` is how the pages are reached; None: over the network.
    """

    def __init__(
        self, pages_url: str, person: Person, transport: httpx.BaseTransport | None = None
    ) -> None:
        self._person = person
        self._client = httpx.Client(
            base_url=pages_url, timeout=PATIENCE, trust_env=False, transport=transport
        )
        self._signing_in = threading.Lock()

    def get(self, path: str, *, htmx: bool = False) -> Answer:
        """A page, signed in."""
        answer = self._ask("GET", path, htmx=htmx)
        if not answer.is_sign_in and answer.status != httpx.codes.UNAUTHORIZED:
            return answer
        return self._ask("GET", path, htmx=htmx) if self._sign_in() else Answer(DEAD)

    def send(self, path: str, fields: Fields, *, htmx: bool = False) -> Answer:
        """Post a form once, as it is filled in."""
        return self._ask("POST", path, fields, htmx=htmx)

    def fresh(self, fields: Fields) -> Fields:
        """The same form with the CSRF token of now, after signing in again where needed."""
        answer = self.get("/new/")
        found = _TOKEN.search(answer.text)
        return fields | {"csrfmiddlewaretoken": found[1]} if found else fields

    def close(self) -> None:
        """Close the window."""
        self._client.close()

    def _sign_in(self) -> bool:
        with self._signing_in:
            page = self._ask("GET", SIGN_IN)
            found = _TOKEN.search(page.text)
            if found is None:
                return page.leads_on  # signed in already, by another thread
            who = {"login": self._person.email, "password": self._person.password}
            answer = self._ask("POST", SIGN_IN, {"csrfmiddlewaretoken": found[1], **who})
            return answer.leads_on

    def _ask(
        self, method: str, path: str, fields: Fields | None = None, *, htmx: bool = False
    ) -> Answer:
        headers = {"Referer": str(self._client.base_url)}
        if htmx:
            headers["HX-Request"] = "true"
        with contextlib.suppress(httpx.HTTPError):
            reply = self._client.request(method, path, data=fields, headers=headers)
            return Answer(reply.status_code, reply.text, reply.headers.get("Location", ""))
        return Answer(DEAD)
