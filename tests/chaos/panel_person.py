"""A person at Billsby's control panel, doing there what no API call can do."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
import threading

import httpx

from tests.chaos.interfaces import Stage

PATIENCE = httpx.Timeout(15.0, connect=5.0)
DEAD = 0
_TOLD = re.compile(r'<p class="told (\w+)"[^>]*>(.*?)</p>', re.DOTALL)
_OFFERED = re.compile(r'<option value="(\w+)">')
_STATUS = re.compile(r"Subscription <code>\w+</code> · <[^>]*>([^<]+)<")
_OWED = re.compile(
    r"<td><code>([^<]+)</code></td>.*?<span[^>]*>(Unpaid|Pending|To be Written off)</span>",
    re.DOTALL,
)
_DATE = re.compile(r"<dt>Next bill date</dt><dd>(\d\d \w{3} \d{4})")
_DATE_FORM = "%d %b %Y"


class PanelPerson:
    """Somebody with the control panel open. Nothing here raises; what came of it is told."""

    def __init__(self, stage: Stage, transport: httpx.BaseTransport | None = None) -> None:
        self._journal = stage.journal
        self._sits = threading.Lock()
        self._client = httpx.Client(
            base_url=stage.panel_url,
            timeout=PATIENCE,
            trust_env=False,
            follow_redirects=True,
            transport=transport,
        )

    def close(self) -> None:
        """Close the window."""
        self._client.close()

    def status(self, subscription: str) -> str:
        """What the panel calls a subscription; "" when nothing answers."""
        found = _STATUS.search(self._get(f"/subscriptions/{subscription}"))
        return found[1] if found else ""

    def suspend(self, subscription: str, *, mistake: bool = False) -> bool:
        """Update status, Suspended, confirm; whether it says Suspended now."""
        return self._set(subscription, "Suspended", mistake=mistake)

    def activate(self, subscription: str, *, mistake: bool = False) -> bool:
        """Update status, Active, confirm, which bills at once."""
        return self._set(subscription, "Active", mistake=mistake)

    def _set(self, subscription: str, to: str, *, mistake: bool) -> bool:
        page = f"/subscriptions/{subscription}/status"
        offered = _OFFERED.findall(self._get(page))
        if to not in offered:
            done = self.status(subscription) == to
            self._write("clicked", "", DEAD, subscription=subscription, to=to, offered=False)
            return done
        # The first post asks to confirm, the second confirms.
        self._post(page, {"status": to})
        status, words = self._post(page, {"status": to, "confirmed": "yes"})
        done = self.status(subscription) == to
        self._write(
            "clicked",
            words.get("refused", ""),
            status,
            subscription=subscription,
            to=to,
            offered=True,
            done=done,
            mistake=mistake,
        )
        return done

    def lift_pause(self, subscription: str) -> bool:
        """Change bill date, leave the date, Active until the new bill."""
        shown = _DATE.search(self._get(f"/subscriptions/{subscription}"))
        if shown is None:
            return False
        date = dt.datetime.strptime(shown[1], _DATE_FORM).replace(tzinfo=dt.UTC).date()
        page = f"/subscriptions/{subscription}/bill-date"
        status, words = self._post(page, {"date": date.isoformat(), "until": "Active"})
        self._write("pause_lifted", words.get("refused", ""), status, subscription=subscription)
        return "done" in words

    def owed(self, client: str) -> list[tuple[str, str]]:
        """The client's invoices that ask for money, with the panel's word for each."""
        rows = self._get(f"/customers/{client}?tab=invoices").split("<tr>")
        found = [_OWED.search(row) for row in rows]
        return [(one[1], one[2]) for one in found if one]

    def settle(self, number: str) -> bool:
        """Note that an invoice was paid in another way."""
        status, words = self._post(f"/invoices/{number}/status", {"status": "PaidOffline"})
        self._write("settled", words.get("refused", ""), status, invoice=number, to="PaidOffline")
        return "done" in words

    def write_off(self, number: str) -> bool:
        """Write an invoice off by hand, where the desk says that Billsby refused it."""
        status, words = self._post(f"/invoices/{number}/status", {"status": "WrittenOff"})
        self._write("settled", words.get("refused", ""), status, invoice=number, to="WrittenOff")
        return "done" in words

    def collect(self, number: str) -> bool:
        """Reattempt an invoice, so that it is paid at once."""
        status, words = self._post(f"/invoices/{number}/reattempt", {})
        self._write("settled", words.get("refused", ""), status, invoice=number, to="Reattempt")
        return "done" in words

    def _write(self, what: str, words: str, status: int, **facts: object) -> None:
        self._journal.write("panel", what, words=words, status=status, **facts)

    def _get(self, path: str) -> str:
        with contextlib.suppress(httpx.HTTPError):
            return self._client.get(path).text
        return ""

    def _post(self, path: str, fields: dict[str, str]) -> tuple[int, dict[str, str]]:
        """The status, and what the panel says by kind (`done`, `refused`)."""
        # What the panel says comes with the next page, whoever of us opens it.
        with self._sits, contextlib.suppress(httpx.HTTPError):
            reply = self._client.post(path, data=fields)
            return reply.status_code, dict(_TOLD.findall(reply.text))
        return DEAD, {}
