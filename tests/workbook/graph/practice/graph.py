"""A Microsoft Graph to practise on: one workbook in one library, as the published pages say.

Answers `httpx` in the same process. Sessions and tokens end by the clock, collections come in
pages, another person can lock or change the workbook, and `Fault`s go wrong on purpose.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import httpx

from canceldesk.workbook.graph.seeing import area
from tests.workbook.graph.practice.book import Book, InTheWayError, Tab, address
from tests.workbook.graph.practice.faults import CrashError, Effect, Fault, error, writes
from tests.workbook.graph.practice.typing_in import Cell

BASE = "https://graph.microsoft.com/v1.0"
DRIVE, ITEM = "b!drive-1", "01ITEM"
SESSION_SECONDS = 300.0
TOKEN_SECONDS = 3600.0
LINK = "https://acme.sharepoint.com/:x:/s/Billing/EaBcD?e=x1"
ADDRESS = "https://acme.sharepoint.com/sites/Billing/Shared%20Documents/Lists/Clients.xlsx"
_FILE = f"/drives/{DRIVE}/items/{ITEM}"
_SITE = "/sites/acme.sharepoint.com,s1,w1"
_CLIENTS = {
    "id": ITEM,
    "name": "Clients.xlsx",
    "file": {},
    "parentReference": {"driveId": DRIVE},
}
_DRIVES = [
    {"id": "b!pages", "webUrl": "https://acme.sharepoint.com/sites/Billing/Shared"},
    {"id": DRIVE, "webUrl": "https://acme.sharepoint.com/sites/Billing/Shared%20Documents"},
]
_PLACES: dict[str, Any] = {
    "/shares/u!/driveItem": _CLIENTS,
    f"/drives/{DRIVE}/root:/Lists/Clients.xlsx": _CLIENTS,
    "/sites/acme.sharepoint.com:/sites/Billing": {"id": "acme.sharepoint.com,s1,w1"},
    f"{_FILE}/content": "https://acme.sharepoint.com/download?key=1",
}
_FORMAT = {"font": ("bold", "color", "italic", "name", "size", "underline"), "fill": ("color",)}
_ALIGNMENT = ("horizontalAlignment", "verticalAlignment", "wrapText")
_LOOK_OF_PLAIN = {
    "bold": False,
    "italic": False,
    "underline": "None",
    "color": "#000000",
    "name": "Calibri",
    "size": 11,
    "fill": "#FFFFFF",
    "horizontalAlignment": "General",
    "verticalAlignment": "Bottom",
    "wrapText": False,
}


@dataclass
class Clock:
    """Time that passes only when someone sleeps, or when a test says so."""

    at: float = 1000.0
    naps: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.at += seconds


@dataclass
class PracticeGraph:
    """The service; `book` is the workbook as people see it."""

    book: Book
    clock: Clock = field(default_factory=Clock)
    content: bytes = b""
    page_size: int = 100
    locked: bool = False
    opens_slowly: int = 0
    computes: bool = True
    faults: list[Fault] = field(default_factory=list)
    sessions: dict[str, float] = field(default_factory=dict)
    tokens: dict[str, float] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    meanwhile: Callable[[httpx.Request], None] | None = None
    _late: list[tuple[float, httpx.Request]] = field(default_factory=list)
    _made: int = 0
    _gone: set[str] = field(default_factory=set)

    def token(self) -> str:
        """A new token, good for an hour."""
        self._made += 1
        token = f"token-{self._made}-of-the-practice"
        self.tokens[token] = self.clock.at + TOKEN_SECONDS
        return token

    def end_sessions(self) -> None:
        """What a restart at Microsoft's does."""
        self.sessions.clear()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.calls.append(f"{request.method} {unquote(request.url.path)}")
        for due, late in [one for one in self._late if one[0] <= self.clock.at]:
            self._late.remove((due, late))
            self._answer(late, checked=False)
        if self.meanwhile is not None:
            self.meanwhile(request)
        fault = next((fault for fault in self.faults if fault.picks(request)), None)
        if fault is None:
            return self._answer(request)
        if fault.effect is Effect.DONE:
            self._answer(request)
        if fault.effect is Effect.LATE:
            self._late.append((self.clock.at + fault.seconds, request))
        if fault.crash:
            raise CrashError
        if fault.answer is None:
            raise httpx.ReadError("the connection was cut", request=request)
        return httpx.Response(
            fault.answer.status_code, content=fault.answer.content, headers=fault.answer.headers
        )

    # ---------------------------------------------------------------- who may, and where

    def _answer(self, request: httpx.Request, *, checked: bool = True) -> httpx.Response:
        if str(request.url).startswith("https://acme.sharepoint.com/download"):
            assert "authorization" not in request.headers
            return httpx.Response(200, content=self.content)
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if checked and self.tokens.get(token, 0.0) <= self.clock.at:
            return error(401, "InvalidAuthenticationToken")
        path = request.url.raw_path.decode().split("?")[0].removeprefix("/v1.0")
        try:
            return self._routed(request, unquote(path), checked)
        except InTheWayError:
            return error(409, "conflict", "insertDeleteConflict")
        except (KeyError, StopIteration):
            return error(404, "itemNotFound")

    def _routed(self, request: httpx.Request, path: str, checked: bool) -> httpx.Response:
        workbook = f"{_FILE}/workbook/"
        if path.startswith(workbook):
            return self._workbook(request, path.removeprefix(workbook), checked)
        if path == f"{_SITE}/drives":
            return self._collection(request, _DRIVES)
        if path.startswith("/shares/u!"):
            path = "/shares/u!/driveItem"
        answer = _PLACES[path]
        if isinstance(answer, str):
            return httpx.Response(302, headers={"Location": answer})
        return httpx.Response(200, json=answer)

    # ---------------------------------------------------------------- sessions

    def _workbook(self, request: httpx.Request, path: str, checked: bool) -> httpx.Response:
        if path == "createSession":
            return self._create_session(request)
        if path.startswith(("operations/", "sessionInfoResource")):
            return httpx.Response(200, json=self._opening(path))
        session = request.headers.get("workbook-session-id", "")
        if checked and self.sessions.get(session, 0.0) <= self.clock.at:
            return error(404, "itemNotFound", "invalidSessionReCreatable")
        if checked:
            self.sessions[session] = self.clock.at + SESSION_SECONDS
        if self.locked and writes(request):
            return error(423, "notAllowed", "resourceLocked")
        if path != "closeSession":
            return self._done(request, path)
        del self.sessions[session]
        return httpx.Response(204)

    def _create_session(self, request: httpx.Request) -> httpx.Response:
        assert json.loads(request.content) == {"persistChanges": True}
        if self.opens_slowly and request.headers.get("Prefer") == "respond-async":
            where = f"{BASE}{_FILE}/workbook/operations/op"
            return httpx.Response(202, json={}, headers={"Location": where})
        return httpx.Response(201, json=self._session())

    def _opening(self, path: str) -> dict[str, Any]:
        if path.startswith("sessionInfoResource"):
            return self._session()
        self.opens_slowly -= 1
        if self.opens_slowly > 0:
            return {"id": "op", "status": "running"}
        where = f"{BASE}{_FILE}/workbook/sessionInfoResource(key='k')"
        return {"id": "op", "status": "succeeded", "resourceLocation": where}

    def _session(self) -> dict[str, Any]:
        self._made += 1
        session = f"session-{self._made}"
        self.sessions[session] = self.clock.at + SESSION_SECONDS
        return {"id": session, "persistChanges": True}

    # ---------------------------------------------------------------- the workbook

    def _done(self, request: httpx.Request, path: str) -> httpx.Response:
        body = json.loads(request.content) if request.content else {}
        if path == "functions/date":
            if not self.computes:
                return error(501, "notImplemented", "notImplementedUncategorized")
            return httpx.Response(200, json={"value": 35064 if self.book.date1904 else 36526})
        if path == "worksheets":
            tabs = [
                {"id": tab.id, "name": tab.name, "visibility": tab.visibility}
                for tab in self.book.tabs
            ]
            return self._collection(request, tabs)
        if match := re.match(r"worksheets/([^/]+)/(.+)$", path):
            return self._on_tab(request, self.book.tab(match[1]), match[2], body)
        if match := re.match(r"tables/([^/]+)/(.+)$", path):
            return self._on_table(request, match[1], match[2], body)
        return error(400, "invalidRequest", "badRequestUncategorized")

    def _on_tab(
        self, request: httpx.Request, tab: Tab, rest: str, body: dict[str, Any]
    ) -> httpx.Response:
        if rest == "tables":
            tables = [
                {"id": one.id, "showHeaders": one.has_headings, "showTotals": one.has_totals}
                for one in tab.tables
            ]
            return self._collection(request, tables)
        if not rest.startswith("range("):
            bottom, right = tab.used()
            asked = {
                "protection": {"protected": tab.protected},
                "usedRange(valuesOnly=true)": {"address": address(tab, (1, 1, right, bottom))},
            }
            return httpx.Response(200, json=asked[rest])
        return self._on_range(request, tab, rest, body)

    def _on_range(
        self, request: httpx.Request, tab: Tab, rest: str, body: dict[str, Any]
    ) -> httpx.Response:
        match = re.match(r"range\(address='([^']+)'\)(?:/(.+))?$", rest)
        if match is None:
            return error(400, "invalidRequest", "badRequestUncategorized")
        if whole := re.match(r"(\d+):\1$", match[1]):
            return self._whole_line(request, tab, int(whole[1]), match[2], body)
        place = area(match[1])
        if match[2]:
            return self._look(request, tab, place, match[2], body)
        if request.method == "PATCH":
            return self._patch(tab, place, body)
        return httpx.Response(200, json=self._grids(tab, place))

    def _whole_line(
        self, request: httpx.Request, tab: Tab, row: int, rest: str, body: dict[str, Any]
    ) -> httpx.Response:
        if tab.protected:
            return error(403, "accessDenied", "accessDenied")
        if request.method == "POST" and rest == "insert" and body == {"shift": "Down"}:
            self.book.insert_rows(tab, row)
            return httpx.Response(200, json={"address": f"'{tab.name}'!{row}:{row}"})
        if request.method == "POST" and rest == "delete" and body == {"shift": "Up"}:
            self.book.delete_rows(tab, row)
            return httpx.Response(200)
        return error(400, "invalidRequest", "badRequestUncategorized")

    def _grids(self, tab: Tab, place: tuple[int, int, int, int]) -> dict[str, Any]:
        left, top, right, bottom = place

        def grid(of: Callable[[Cell], Any]) -> list[list[Any]]:
            return [
                [of(tab.cells.get((r, c), Cell())) for c in range(left, right + 1)]
                for r in range(top, bottom + 1)
            ]

        return {
            "address": address(tab, place),
            "values": grid(lambda cell: self.book.value(tab, cell)),
            "numberFormat": grid(lambda cell: cell.number_format),
            "formulas": grid(lambda cell: cell.formula or cell.value),
        }

    def _patch(
        self, tab: Tab, place: tuple[int, int, int, int], body: dict[str, Any]
    ) -> httpx.Response:
        left, top, right, bottom = place
        assert top == bottom
        if "formulas" in body:
            ((formula,),) = body["formulas"]
            tab.cell(top, left).formula = formula
            return httpx.Response(200, json=self._grids(tab, place))
        for offset, column in enumerate(range(left, right + 1)):
            entry, number_format = (
                body[grid][0][offset] if grid in body else None
                for grid in ("values", "numberFormat")
            )
            self.book.type(tab, top, column, entry, number_format)
        return httpx.Response(200, json=self._grids(tab, place))

    def _look(
        self,
        request: httpx.Request,
        tab: Tab,
        place: tuple[int, int, int, int],
        rest: str,
        body: dict[str, Any],
    ) -> httpx.Response:
        left, top, right, _ = place
        columns = range(left, right + 1)
        if request.method == "GET":
            cells = [tab.cells.get((top, column), Cell()) for column in columns]
        else:
            cells = [tab.cell(top, column) for column in columns]
        if rest == "format/fill/clear":
            for cell in cells:
                cell.look.pop("fill", None)
            return httpx.Response(204)
        if rest.startswith("format/borders"):
            return self._borders(
                request, cells, rest.removeprefix("format/borders").strip("/"), body
            )
        part = rest.removeprefix("format").strip("/")
        settings = _FORMAT.get(part, _ALIGNMENT)
        key = (lambda name: "fill") if part == "fill" else (lambda name: name)
        if request.method == "PATCH":
            for cell in cells:
                cell.look |= {key(name): value for name, value in body.items()}
        found = {}
        for name in settings:
            seen = {cell.look.get(key(name), _LOOK_OF_PLAIN[key(name)]) for cell in cells}
            found[name] = seen.pop() if len(seen) == 1 else None
        return httpx.Response(200, json=found)

    def _borders(
        self, request: httpx.Request, cells: list[Cell], side: str, body: dict[str, Any]
    ) -> httpx.Response:
        if request.method == "PATCH":
            for cell in cells:
                cell.look[side] = body["style"]
            return httpx.Response(200, json={"sideIndex": side, **body})
        sides = []
        for one in ("EdgeTop", "EdgeBottom", "InsideVertical", "DiagonalDown"):
            styles = {cell.look.get(one, "None") for cell in cells}
            style = styles.pop() if len(styles) == 1 else None
            sides.append({"sideIndex": one, "style": style, "color": "#000000", "weight": "Thin"})
        return self._collection(request, sides)

    def _on_table(
        self, request: httpx.Request, key: str, rest: str, body: dict[str, Any]
    ) -> httpx.Response:
        tab, table = self.book.table(key)
        if rest == "range":
            return httpx.Response(200, json={"address": address(tab, table.area)})
        if rest == "rows/add" and request.method == "POST":
            (values,) = body["values"]
            self.book.insert_in_table(tab, table, body["index"], values)
            return httpx.Response(201, json={"index": body["index"], "values": [values]})
        if (match := re.match(r"rows/itemAt\(index=(\d+)\)$", rest)) and request.method == "DELETE":
            self.book.delete_in_table(tab, table, int(match[1]))
            return httpx.Response(204)
        return error(400, "invalidRequest", "badRequestUncategorized")

    def _collection(self, request: httpx.Request, everything: list[Any]) -> httpx.Response:
        start = int(request.url.params.get("$skiptoken", "0"))
        end = start + self.page_size
        body: dict[str, Any] = {"value": everything[start:end]}
        if end < len(everything):
            link = request.url.copy_merge_params({"$skiptoken": str(end)})
            body["@odata.nextLink"] = str(link)
        return httpx.Response(200, json=body)
