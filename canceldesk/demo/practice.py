"""The practice Billsby as the demo uses it: a process beside the desk, reached over HTTP only."""

from __future__ import annotations

import ctypes
import os
import secrets
import signal
import subprocess
import sys
import sysconfig
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

DOMAIN = "brightpath"
STARTS_WITHIN = 20.0
STOPS_WITHIN = 5.0
_PR_SET_PDEATHSIG = 1


class CannotStartError(Exception):
    """The practice Billsby does not answer; the text says where to look."""


@dataclass
class Practice:
    """A practice Billsby below `folder`, on `port` of this machine."""

    folder: Path
    port: int
    key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    _process: subprocess.Popen[bytes] | None = None

    @classmethod
    def below(cls, folder: Path, port: int) -> Practice:
        """With the key and the secret kept there, which are made on the first start."""
        kept = folder / "practice-secrets"
        if not kept.exists():
            kept.touch(mode=0o600)
            kept.write_text(f"{DOMAIN}_{secrets.token_hex(16)}\n{secrets.token_urlsafe(24)}\n")
        key, webhook_secret = kept.read_text().split()
        return cls(folder, port, key, webhook_secret)

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def api_url(self) -> str:
        """What the desk is told as Billsby's address."""
        return f"{self.url}/api/v1/rest/core"

    @property
    def panel_url(self) -> str:
        """Its control panel."""
        return f"{self.url}/panel/"

    def start(self, webhook_url: str) -> None:
        """Start it; `wait` tells when it answers. It ends with this process, however that ends."""
        command = Path(sysconfig.get_path("scripts")) / "billsby-sandbox"
        arguments = ["--port", str(self.port), "--db", str(self.folder / "billsby.sqlite3")]
        arguments += ["--company", DOMAIN, "--webhook-url", webhook_url]
        known = {
            "BILLSBY_SANDBOX_KEY": self.key,
            "BILLSBY_SANDBOX_WEBHOOK_SECRET": self.webhook_secret,
        }
        with (self.folder / "billsby.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, str(command), "serve", *arguments],
                env=os.environ | known,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # Ctrl-C reaches the desk alone, which then ends this in its turn.
                start_new_session=True,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509
            )

    def wait(self) -> None:
        """Return when it answers. Raises CannotStartError."""
        until = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < until and self._process and self._process.poll() is None:
            try:
                httpx.get(f"{self.url}/_practice/state", trust_env=False).raise_for_status()
            except httpx.HTTPError:
                time.sleep(0.05)
            else:
                return
        raise CannotStartError(
            f"The practice Billsby did not start on port {self.port}. What it said is in "
            f"{self.folder / 'billsby.log'}."
        )

    def stop(self) -> None:
        """End it, gently first."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def suspend(self, subscription_id: str) -> None:
        """What a person does in the control panel: Update status, Suspended, confirm."""
        httpx.post(
            f"{self.url}/panel/subscriptions/{subscription_id}/status",
            data={"status": "Suspended", "confirmed": "yes"},
            trust_env=False,
        )


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
