"""How long the demo takes from the command to its first page: from nothing, and again.

`python bench/start.py [--fresh]` prints the figures; with `--fresh` a new environment is made
from the lock file first, which needs a package index or a filled cache.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

PROJECT = Path(__file__).resolve().parent.parent
GIVE_UP_AFTER = 300.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="make the environment, too")
    fresh = parser.parse_args().fresh
    with tempfile.TemporaryDirectory(prefix="canceldesk-bench-") as name:
        folder = Path(name)
        if fresh:
            checkout = folder / "checkout"
            subprocess.run(["git", "clone", "-q", str(PROJECT), str(checkout)], check=True)
            shutil.rmtree(checkout / ".venv", ignore_errors=True)
            _report("environment, data and first page, from nothing", _by_make(checkout))
            return
        data = folder / "demo"
        _report("data and first page, first start", _by_command(data))
        for attempt in range(1, 4):
            _report(f"first page, later start {attempt}", _by_command(data))


def _report(what: str, seconds: float) -> None:
    print(f"{what}: {seconds:.1f} s")


def _by_make(checkout: Path) -> float:
    port, billsby_port = _free_port(), _free_port()
    started = time.monotonic()
    subprocess.run(["make", "-s", ".venv/.runtime-installed"], cwd=checkout, check=True)
    command = [str(checkout / ".venv/bin/canceldesk"), "demo"]
    return _until_first_page(command, checkout / "demo-data", port, billsby_port, started)


def _by_command(data: Path) -> float:
    command = [str(Path(sys.executable).with_name("canceldesk")), "demo"]
    return _until_first_page(command, data, _free_port(), _free_port(), time.monotonic())


def _until_first_page(
    command: list[str], data: Path, port: int, billsby_port: int, started: float
) -> float:
    where = ["--data", str(data), "--port", str(port), "--billsby-port", str(billsby_port)]
    with subprocess.Popen([*command, *where], stdout=subprocess.DEVNULL) as demo:
        try:
            return _answered(f"http://127.0.0.1:{port}/account/login/", demo) - started
        finally:
            demo.send_signal(signal.SIGINT)


def _answered(url: str, demo: subprocess.Popen[bytes]) -> float:
    until = time.monotonic() + GIVE_UP_AFTER
    while time.monotonic() < until and demo.poll() is None:
        try:
            if httpx.get(url, trust_env=False).is_success:
                return time.monotonic()
        except httpx.HTTPError:
            time.sleep(0.02)
    raise SystemExit("The demo did not answer.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
