"""A workbook session: opened for one piece of work, opened anew when it ends, closed after.

Graph pages “Manage sessions and persistence in Excel” and “Best practices for working with the
Excel API”. A persistent session ends after about five minutes without a call. A session sees what
other people have typed before it is saved to the file.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import quote

from canceldesk import go_ahead
from canceldesk.workbook.graph.exchange import Exchange, Reply, members
from canceldesk.workbook.graph.patience import Patience
from canceldesk.workbook.graph.place import Item
from canceldesk.workbook.graph.problems import (
    Held,
    NotReached,
    OutcomeUnknown,
    Problem,
    SessionLost,
    Throttled,
    of_reply,
)

_ACCEPTED: Final = 202
_SHORTEST_CALL: Final = 5.0
_PASSING: Final = (Throttled, Held, OutcomeUnknown, NotReached, SessionLost)


class Sitting:
    """One session on the workbook `item`, with all calls to it; use it as a context.

    `maybe_changed` is false as long as it is certain that nothing was changed through it.
    """

    def __init__(self, exchange: Exchange, item: Item, patience: Patience) -> None:
        self.item = item
        self.patience = patience
        self.maybe_changed = False
        self._exchange = exchange
        self._session = ""
        self._computed: dict[str, object] = {}

    def __enter__(self) -> Self:
        self._open()
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        # What matters was read back before; a session that is not closed ends by itself.
        with contextlib.suppress(Problem):
            if self._session:
                self._send("POST", "closeSession", None, "close the workbook session")

    def read(self, path: str, *, doing: str) -> dict[str, Any]:
        """The body of a GET under the workbook, asked for again while patience lasts."""
        while True:
            try:
                return self._send("GET", path, None, doing).body
            except _PASSING as problem:
                self._recover(problem)

    def pages(self, path: str, *, doing: str) -> list[dict[str, Any]]:
        """Everything of a collection under the workbook."""
        found: list[dict[str, Any]] = []
        next_page = path
        while next_page:
            body = self.read(next_page, doing=doing)
            found += members(body)
            link = str(body.get("@odata.nextLink") or "")
            next_page = self._under_workbook(link) if link else ""
        return found

    def write(
        self, method: str, path: str, body: Mapping[str, Any] | None, *, doing: str
    ) -> dict[str, Any]:
        """Send one call that changes the workbook, once; what went wrong is the caller's.

        The first asks for its go-ahead; what was begun is then brought to its end, so that no half
        of a row is left.
        """
        if not self.maybe_changed:
            go_ahead.assure()
        try:
            reply = self._send(method, path, body, doing)
        except OutcomeUnknown:
            self.maybe_changed = True
            raise
        self.maybe_changed = True
        return reply.body

    def computed(self, function: str, arguments: Mapping[str, Any]) -> object:
        """What a worksheet function gives in this workbook (page “Use workbook functions”), asked
        once a session: for functions that always give the same.
        """
        while function not in self._computed:
            try:
                reply = self._send("POST", f"functions/{function}", arguments, "ask for a date")
                self._computed[function] = reply.body.get("value")
            except _PASSING as problem:
                self._recover(problem)
        return self._computed[function]

    def content(self) -> bytes:
        """The workbook's file as it was last saved."""
        while True:
            try:
                return self._exchange.file(f"{self.item.address}/content", doing="fetch the file")
            except _PASSING as problem:
                if not self.patience.wait_after(problem):
                    raise

    def recover(self, problem: Problem) -> None:
        """Wait, and open a new session if the last is lost; raises `problem` when patience is out.

        For callers whose write did not succeed, before they look again.
        """
        self._recover(problem)

    def _recover(self, problem: Problem) -> None:
        if not self.patience.wait_after(problem):
            raise problem
        if isinstance(problem, SessionLost | OutcomeUnknown):
            # After a 500 “further access to the session is not expected”.
            self._open()

    def _open(self) -> None:
        self._session = ""
        while True:
            try:
                self._session = self._created()
                return
            except _PASSING as problem:
                if not self.patience.wait_after(problem):
                    raise

    def _created(self) -> str:
        reply = self._exchange.send(
            "POST",
            f"{self.item.address}/workbook/createSession",
            body={"persistChanges": True},
            headers={"Prefer": "respond-async"},
            doing="open the workbook",
        )
        body = self._operated(reply) if reply.status == _ACCEPTED else reply.body
        session = body.get("id")
        if not isinstance(session, str) or not session:
            raise OutcomeUnknown(status=reply.status, code="noSessionId")
        return session

    def _operated(self, reply: Reply) -> dict[str, Any]:
        """The session of a long-running `createSession`, once it is there."""
        operation = self._exchange.own_path(reply.location)
        while True:
            state = self._exchange.read(operation, self.patience, doing="see the workbook opened")
            if state.get("status") == "succeeded":
                found = self._exchange.own_path(str(state.get("resourceLocation") or ""))
                return self._exchange.read(found, self.patience, doing="open the workbook")
            if state.get("status") == "failed":
                raise of_reply(500, state, None)
            if not self.patience.wait_after(OutcomeUnknown(code="stillOpening")):
                raise OutcomeUnknown(code="stillOpening")

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None, doing: str) -> Reply:
        return self._exchange.send(
            method,
            f"{self.item.address}/workbook/{path}",
            body=body,
            headers={"workbook-session-id": self._session},
            doing=doing,
            seconds=max(_SHORTEST_CALL, self.patience.left),
        )

    def _under_workbook(self, link: str) -> str:
        path = self._exchange.own_path(link)
        _, _, under = path.partition("/workbook/")
        if not under:
            raise OutcomeUnknown(code="foreignLink")
        return under


def named(kind: str, key: str) -> str:
    """`worksheets/…` or `tables/…` by ID or name, quoted."""
    return f"{kind}/{quote(key, safe='')}"
