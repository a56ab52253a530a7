"""Signing in with the real msal, against a practice Microsoft."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
import typer
from typer.testing import CliRunner

from canceldesk.workbook.graph import commands, signin
from canceldesk.workbook.graph.problems import NotReached, SignInProblem
from canceldesk.workbook.graph.signin import AppSignIn, PersonSignIn
from tests.workbook.graph.practice.microsoft import CLIENT, SECRET, TENANT, PracticeMicrosoft


def app(microsoft: PracticeMicrosoft, *, secret: str = SECRET, tenant: str = TENANT) -> AppSignIn:
    return AppSignIn(
        tenant=tenant, client_id=CLIENT, secret=secret, transport=httpx.MockTransport(microsoft)
    )


def person(microsoft: PracticeMicrosoft, cache: Path) -> PersonSignIn:
    return PersonSignIn(
        tenant=TENANT, client_id=CLIENT, cache=cache, transport=httpx.MockTransport(microsoft)
    )


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "microsoft-sign-in.json"


# ------------------------------------------------------------------ as an app


def test_an_app_keeps_its_token_until_it_is_no_longer_taken() -> None:
    microsoft = PracticeMicrosoft()
    desk = app(microsoft)

    assert [desk.token(), desk.token()] == ["access-1", "access-1"]
    assert desk.renewed() == "access-2"
    assert desk.token() == "access-2"
    assert microsoft.asked[0]["scope"] == "https://graph.microsoft.com/.default"


@pytest.mark.parametrize(
    ("description", "sentence"),
    [
        ("AADSTS7000222: The provided client secret keys are expired", "secret has run out"),
        ("AADSTS700016: Application was not found", "knows no application"),
        ("AADSTS90002: Tenant not found", "no such directory"),
        ("AADSTS53003: Blocked by Conditional Access", "Look the code up"),
    ],
)
def test_a_refused_app_is_told_what_to_do(description: str, sentence: str) -> None:
    microsoft = PracticeMicrosoft(refusal=("unauthorized_client", description))

    with pytest.raises(SignInProblem) as problem:
        app(microsoft).token()
    assert sentence in problem.value.sentence
    assert description.split(":", maxsplit=1)[0] in problem.value.sentence


def test_a_wrong_secret_is_told_and_not_repeated() -> None:
    with pytest.raises(SignInProblem, match="signIn") as problem:
        app(PracticeMicrosoft(), secret="wrong-but-secret").token()
    assert "does not accept the client secret" in problem.value.sentence
    assert "wrong-but-secret" not in repr(problem.value) + problem.value.sentence


def test_an_unknown_directory_is_told() -> None:
    with pytest.raises(SignInProblem) as problem:
        app(PracticeMicrosoft(), tenant="elsewhere.example.com").token()
    assert "no such directory" in problem.value.sentence


def test_an_unreachable_microsoft_is_not_a_refusal_and_is_asked_again() -> None:
    microsoft = PracticeMicrosoft(down=True)
    desk = app(microsoft)

    with pytest.raises(NotReached):
        desk.token()
    microsoft.down = False
    assert desk.token() == "access-1"


# ------------------------------------------------------------------ as a person


def test_a_person_signs_in_by_code_once(cache: Path) -> None:
    microsoft = PracticeMicrosoft(pending=2)
    desk = person(microsoft, cache)

    begun = desk.begin()
    assert (begun.page, begun.code) == ("https://microsoft.com/devicelogin", "ABCD-1234")
    assert desk.finish(begun) == "nora@example.com"

    assert person(microsoft, cache).token() == "access-1"
    assert cache.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in cache.parent.iterdir()] == [cache.name]


def test_a_persons_token_is_renewed_silently_and_kept(cache: Path) -> None:
    microsoft = PracticeMicrosoft()
    desk = person(microsoft, cache)
    desk.finish(desk.begin())

    assert desk.renewed() == "access-2"
    assert microsoft.asked[-1]["grant_type"] == "refresh_token"
    assert person(microsoft, cache).token() == "access-2"


def test_a_sign_in_by_another_process_is_taken_over(cache: Path) -> None:
    microsoft = PracticeMicrosoft()
    waiting = person(microsoft, cache)
    with pytest.raises(SignInProblem) as problem:
        waiting.token()
    assert "canceldesk list sign-in" in problem.value.sentence

    other = person(microsoft, cache)
    other.finish(other.begin())

    assert waiting.token() == "access-1"


def test_the_desk_acts_for_who_signed_in_last(cache: Path) -> None:
    microsoft = PracticeMicrosoft()
    desk = person(microsoft, cache)
    desk.finish(desk.begin())
    microsoft.person = "omar@example.com"
    assert desk.finish(desk.begin()) == "omar@example.com"

    desk.renewed()

    assert microsoft.asked[-1]["refresh_token"] == "refresh-2"
    kept = json.loads(cache.read_text())
    assert [one["username"] for one in kept["Account"].values()] == ["omar@example.com"]


@pytest.mark.parametrize("content", ["", "{", '{"Account": '])
def test_a_broken_file_is_no_sign_in(cache: Path, content: str) -> None:
    cache.write_text(content)
    microsoft = PracticeMicrosoft()
    desk = person(microsoft, cache)

    with pytest.raises(SignInProblem, match="signIn"):
        desk.token()
    desk.finish(desk.begin())
    assert desk.token() == "access-1"


def test_a_file_others_may_read_is_closed_to_them(cache: Path) -> None:
    microsoft = PracticeMicrosoft()
    desk = person(microsoft, cache)
    desk.finish(desk.begin())
    cache.chmod(0o644)

    person(microsoft, cache).token()

    assert cache.stat().st_mode & 0o777 == 0o600


def test_a_sign_in_that_has_ended_asks_for_a_new_one(cache: Path) -> None:
    microsoft = PracticeMicrosoft()
    desk = person(microsoft, cache)
    desk.finish(desk.begin())
    microsoft.refusal = ("invalid_grant", "The refresh token has been revoked")

    with pytest.raises(SignInProblem) as problem:
        desk.renewed()
    assert "has ended. Sign in with `canceldesk list sign-in`" in problem.value.sentence


# ------------------------------------------------------------------ the command


@pytest.fixture
def microsoft(monkeypatch: pytest.MonkeyPatch) -> PracticeMicrosoft:
    practice = PracticeMicrosoft()
    transport = httpx.MockTransport(practice)

    def to_practice(**named: object) -> PersonSignIn:
        return PersonSignIn(**named, transport=transport)  # type: ignore[arg-type]

    monkeypatch.setattr(signin, "PersonSignIn", to_practice)
    return practice


def run(data: Path) -> tuple[int, str]:
    cli = typer.Typer()
    cli.command("sign-in")(commands.sign_in)
    told = {
        "CANCELDESK_MICROSOFT_TENANT": TENANT,
        "CANCELDESK_MICROSOFT_CLIENT_ID": CLIENT,
        "CANCELDESK_DATA": str(data),
    }
    result = CliRunner().invoke(cli, env=told)
    return result.exit_code, result.output


def test_the_command_shows_the_code_and_who_signed_in(
    tmp_path: Path, microsoft: PracticeMicrosoft
) -> None:
    code, said = run(tmp_path / "data")

    assert code == 0
    assert "https://microsoft.com/devicelogin and type the code ABCD-1234" in " ".join(
        said.split()
    ).replace(" in a browser", "")
    assert "Signed in as nora@example.com" in said
    assert (tmp_path / "data" / signin.CACHE_NAME).is_file()


def test_the_command_tells_why_it_could_not(tmp_path: Path, microsoft: PracticeMicrosoft) -> None:
    microsoft.refusal = ("invalid_request", "AADSTS7000218: client_secret required")
    code, said = run(tmp_path)
    assert (code, "Allow public client flows" in said) == (1, True)

    microsoft.down = True
    code, said = run(tmp_path)
    assert (code, "could not be reached" in said) == (1, True)
