from __future__ import annotations

import json

import httpx
import pytest
from typer.testing import CliRunner

from billsby_sandbox import cli, quirks, seed, server
from billsby_sandbox.app import create_app
from billsby_sandbox.company import Company

from .conftest import NOON


def run(*arguments: str):
    return CliRunner().invoke(cli.app, list(arguments))


@pytest.fixture
def running(company, monkeypatch):
    """A running server, reached without a network."""
    transport = httpx.WSGITransport(app=create_app(company))

    def request(method, url, *, json, timeout, trust_env):
        with httpx.Client(transport=transport) as client:
            return client.request(method, url, json=json)

    monkeypatch.setattr(httpx, "request", request)
    return company


def test_serve_fills_an_empty_company_and_prints_where_it_is(tmp_path, monkeypatch):
    seen: list[Company] = []
    counts: list[int] = []

    def serve(company, host, port):
        seen.append(company)
        counts.append(len(company.customers()))

    monkeypatch.setattr(server, "serve", serve)
    db = str(tmp_path / "c.sqlite3")
    printed = run(
        *("serve", "--db", db, "--port", "9999", "--webhook-url", "http://desk.example.com/hook"),
        *("--webhook-secret", "s3", "--quirk", "rate_limit=9"),
        *("--fault", "kind=drop_after,method=PUT,path=*/WrittenOff,times=1"),
    )
    assert printed.exit_code == 0
    assert "http://127.0.0.1:9999/panel/" in printed.stdout
    assert cli.practice_key("brightpath") in printed.stdout
    assert counts == [64]
    assert (seen[0].webhook_url, seen[0].webhook_secret) == ("http://desk.example.com/hook", "s3")
    run("serve", "--db", db)
    assert counts == [64, 64]
    kept = Company.open(tmp_path / "c.sqlite3", api_key="k", clock=lambda: NOON)
    assert kept.quirks()["rate_limit"] == "9"
    assert kept.faults()[0].kind == "drop_after"
    kept.close()


def test_serve_can_start_empty_and_does_not_print_a_key_it_was_given(tmp_path, monkeypatch):
    counts: list[int] = []
    monkeypatch.setattr(server, "serve", lambda company, *_: counts.append(company.now() is None))
    printed = run("serve", "--db", str(tmp_path / "c"), "--empty", "--key", "my-own-key")
    assert counts == [False]
    assert "my-own-key" not in printed.stdout
    kept = Company.open(tmp_path / "c", api_key="k")
    assert kept.customers() == []
    kept.close()


@pytest.mark.parametrize(
    "wrong", [("--quirk", "nonsense=1"), ("--quirk", "nonsense"), ("--fault", "kind=bang")]
)
def test_serve_refuses_quirks_and_faults_that_do_not_exist(tmp_path, wrong):
    assert run("serve", "--db", str(tmp_path / "c"), *wrong).exit_code == 2


def test_the_made_up_key_has_the_form_of_a_real_one():
    name, _, digits = cli.practice_key("acme").partition("_")
    assert (name, len(digits)) == ("acme", 32)


def test_quirks_are_listed_for_people_and_machines():
    printed = run("quirks").stdout
    assert all(name in printed for name in quirks.REGISTRY)
    listed = json.loads(run("quirks", "--json").stdout)
    assert [one["name"] for one in listed] == list(quirks.REGISTRY)


def test_a_running_server_is_steered(running):
    assert run("quirks", "suspend_offered=no", "rate_limit=0").exit_code == 0
    assert running.quirks()["suspend_offered"] == "no"
    assert json.loads(run("advance", "--days", "2").stdout)["now"] == "2026-03-12T12:01:00+00:00"
    run("fault", "kind=status,status=429,times=3")
    assert json.loads(run("faults").stdout)[0]["times"] == 3
    assert json.loads(run("faults", "--clear").stdout) == []
    assert json.loads(run("down", "503").stdout) == {"down": "503"}
    assert json.loads(run("state").stdout)["down"] == "503"
    assert json.loads(run("history", "--after", "1").stdout)[0]["id"] == 2


def test_a_running_server_starts_over(running):
    assert json.loads(run("reset", "--seed", "7").stdout) == {"customers": 64}
    run("card", seed.MARA, "--bad")
    assert running.customer(seed.MARA).card_good is False
    assert json.loads(run("reset", "--empty").stdout) == {"customers": 0}


def test_what_the_server_refuses_is_said_and_fails(running):
    printed = run("down", "sideways")
    assert printed.exit_code == 1
    assert "sideways" in printed.stderr


def test_a_server_that_is_not_there_is_said_and_fails(monkeypatch):
    def nobody(*_, **__):
        raise httpx.ConnectError("refused")

    monkeypatch.setattr(httpx, "request", nobody)
    printed = run("state")
    assert printed.exit_code == 1
    assert "No practice Billsby answers" in printed.stderr


def test_the_command_shows_its_help(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["billsby-sandbox", "--help"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 0
    assert "practise" in capsys.readouterr().out
