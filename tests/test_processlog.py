"""What a process writes about its own running never holds what belongs to the company alone."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import structlog

from canceldesk import processlog

KEY = "acme_key_only_for_tests"
CLIENT = "Nora Field"


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    quiet = {
        name: logging.getLogger(name).level for name in ("httpx", "httpcore", "waitress.queue")
    }
    yield
    for handler in set(root.handlers) - set(handlers):
        handler.close()
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in quiet.items():
        logging.getLogger(name).setLevel(before)
    structlog.reset_defaults()


@pytest.fixture(params=["text", "json"])
def log_file(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    monkeypatch.setenv("CANCELDESK_LOG_FORMAT", request.param)
    file = tmp_path / "desk.log"
    processlog.configure(to=file)
    return file


def _fail_with_a_secret_at_hand() -> None:
    api_key, client = "_".join(["acme", "key", "only", "for", "tests"]), " ".join(["Nora", "Field"])
    assert (api_key, client) == (KEY, CLIENT)
    raise RuntimeError("The pass could not go on.")


@pytest.mark.parametrize("through", ["structlog", "logging"])
def test_a_traceback_tells_where_it_failed_but_not_what_the_variables_held(
    log_file: Path, through: str
) -> None:
    try:
        _fail_with_a_secret_at_hand()
    except RuntimeError:
        if through == "structlog":
            structlog.get_logger("canceldesk.anything").exception("unforeseen")
        else:
            logging.getLogger("canceldesk.anything").exception("unforeseen")
    written = log_file.read_text(encoding="utf-8")
    assert "unforeseen" in written
    assert "The pass could not go on." in written
    assert "_fail_with_a_secret_at_hand" in written
    assert KEY not in written
    assert CLIENT not in written


def test_a_call_is_not_written_with_its_whole_address(log_file: Path) -> None:
    answer = httpx.MockTransport(lambda _request: httpx.Response(200))
    with httpx.Client(transport=answer) as browser:
        browser.get("http://billsby.test/customers", params={"search": CLIENT})
    logging.getLogger("httpcore.connection").info("search=%s", CLIENT)
    logging.getLogger("canceldesk.anything").info("something else")
    written = log_file.read_text(encoding="utf-8")
    assert "something else" in written
    assert "search" not in written


def test_a_log_for_machines_is_one_object_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANCELDESK_LOG_FORMAT", "json")
    processlog.configure(to=tmp_path / "desk.log")
    try:
        _fail_with_a_secret_at_hand()
    except RuntimeError:
        structlog.get_logger("canceldesk.anything").exception("unforeseen", case="C-00001")
    [line] = (tmp_path / "desk.log").read_text(encoding="utf-8").splitlines()
    told = json.loads(line)
    assert (told["event"], told["case"], told["level"]) == ("unforeseen", "C-00001", "error")
