"""The private PostgreSQL that tests run on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.postgres import Cluster, NoPostgresError

pytestmark = pytest.mark.loopback


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    one = Cluster(tmp_path_factory.mktemp("cluster"))
    one.start()
    yield one
    one.close()


@pytest.fixture
def kept(cluster: Cluster) -> Iterator[str]:
    """A database with one table that holds one row."""
    cluster.create("kept")
    with psycopg.connect(cluster.url("kept")) as connection:
        connection.execute("CREATE TABLE word AS SELECT 'hold' AS text")
    yield "kept"
    cluster.drop("kept")


def words(cluster: Cluster, database: str) -> list[tuple[str]]:
    with psycopg.connect(cluster.url(database)) as connection:
        return connection.execute("SELECT text FROM word").fetchall()


def test_a_copy_holds_what_its_template_held_and_goes_its_own_way(
    cluster: Cluster, kept: str
) -> None:
    cluster.create("copy", template=kept)
    with psycopg.connect(cluster.url("copy")) as connection:
        connection.execute("INSERT INTO word VALUES ('stop')")
    assert words(cluster, "copy") == [("hold",), ("stop",)]
    assert words(cluster, kept) == [("hold",)]
    cluster.drop("copy")


def test_a_dropped_database_is_gone_though_somebody_uses_it(cluster: Cluster, kept: str) -> None:
    with psycopg.connect(cluster.url(kept)) as connection:
        cluster.drop(kept)
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")


def test_dropping_what_is_not_there_is_no_error(cluster: Cluster) -> None:
    cluster.drop("never-made")


def test_a_restart_loses_connections_but_no_committed_row(cluster: Cluster, kept: str) -> None:
    with psycopg.connect(cluster.url(kept)) as connection:
        cluster.restart("fast")
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert words(cluster, kept) == [("hold",)]


def test_a_durable_cluster_recovers_after_an_immediate_stop(tmp_path: Path) -> None:
    one = Cluster(tmp_path, durable=True)
    one.start()
    try:
        with psycopg.connect(one.url("postgres")) as connection:
            assert connection.execute("SHOW fsync").fetchone() == ("on",)
            connection.execute("CREATE TABLE word AS SELECT 'hold' AS text")
        one.restart("immediate")
        assert words(one, "postgres") == [("hold",)]
    finally:
        one.close()


def test_a_closed_cluster_leaves_no_process_and_no_folder(tmp_path: Path) -> None:
    one = Cluster(tmp_path)
    one.start()
    home, server = one._home, one._server
    assert server is not None
    one.close()
    assert not home.exists()
    assert server.returncode is not None


def test_a_killed_owner_leaves_no_process_and_no_folder_behind(tmp_path: Path) -> None:
    owner = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, pathlib; from tests.postgres import Cluster\n"
            "one = Cluster(pathlib.Path(sys.argv[1])); one.start()\n"
            "print(one._home, one._server.pid, flush=True)\n"
            "sys.stdin.read()",
            str(tmp_path),
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert owner.stdout is not None
    home, server = owner.stdout.readline().split()
    owner.send_signal(signal.SIGKILL)
    owner.communicate()
    patience = time.monotonic() + 20
    while Path(home).exists() or _runs(int(server)):
        assert time.monotonic() < patience, f"{home} or process {server} is still there"
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # Whoever adopted it may not have collected it yet.
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"


def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    one = Cluster(tmp_path)
    one._settings = one._settings | {"shared_buffers": "much"}
    try:
        with pytest.raises(NoPostgresError, match="shared_buffers"):
            one.start()
    finally:
        one.close()


def test_a_folder_without_programs_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANCELDESK_TEST_POSTGRES_BIN", str(tmp_path))
    with pytest.raises(NoPostgresError, match=str(tmp_path)):
        Cluster(tmp_path)
