"""Signing in at Microsoft: as the desk's own app, or as a person by device code.

An app has a secret and needs nobody present (“client credentials”); a person signs in once with
`canceldesk list sign-in`, and the sign-in renews itself while it is used. Both by msal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final, Protocol

import httpx
import msal

from canceldesk.workbook.graph.problems import NotReached, SignInProblem
from canceldesk.workbook.graph.tokencache import TokenCacheFile

AUTHORITY: Final = "https://login.microsoftonline.com"
APP_SCOPES: Final = ("https://graph.microsoft.com/.default",)
PERSON_SCOPES: Final = ("https://graph.microsoft.com/Files.ReadWrite.All",)

CACHE_NAME: Final = "microsoft-sign-in.json"
"""The file in the data folder that keeps a person's sign-in."""

_TIMEOUT: Final = 20.0
_MICROSOFT_CODE: Final = re.compile(r"AADSTS\d+")
_SIGN_IN_AGAIN: Final = "Sign in with `canceldesk list sign-in`."


class SignIn(Protocol):
    """Gives tokens for Microsoft Graph. Raises `SignInProblem` or `NotReached`."""

    acts_as_app: bool

    def token(self) -> str:
        """A token that should still be good."""
        ...

    def renewed(self) -> str:
        """A new token, because Microsoft no longer took the last one."""
        ...


class AppSignIn:
    """The desk as its own app: directory `tenant`, application `client_id` and its secret.

    Its tokens stay in memory. `transport` is for tests.
    """

    acts_as_app = True

    def __init__(
        self,
        *,
        tenant: str,
        client_id: str,
        secret: str,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._app = _Lazily(
            lambda: msal.ConfidentialClientApplication(
                client_id,
                client_credential=secret,
                authority=f"{AUTHORITY}/{tenant}",
                instance_discovery=False,
                http_client=_Http(transport),
            )
        )

    def token(self) -> str:
        """A token, from memory while it is good."""
        with self._app as app:
            return _token(app.acquire_token_for_client(scopes=list(APP_SCOPES)))

    def renewed(self) -> str:
        """A new token from Microsoft."""
        with self._app as app:
            app.remove_tokens_for_client()
            return _token(app.acquire_token_for_client(scopes=list(APP_SCOPES)))


@dataclass(frozen=True)
class DeviceCode:
    """What a person needs to sign in: the page, and the code to type there. `flow` is msal's."""

    page: str
    code: str
    flow: Mapping[str, Any]


class PersonSignIn:
    """The desk acting for a person who signed in once; kept in the file `cache` (mode 0600)."""

    acts_as_app = False

    def __init__(
        self,
        *,
        tenant: str,
        client_id: str,
        cache: Path,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._cache = TokenCacheFile(cache)
        self._app = _Lazily(
            lambda: msal.PublicClientApplication(
                client_id,
                authority=f"{AUTHORITY}/{tenant}",
                token_cache=self._cache,
                instance_discovery=False,
                http_client=_Http(transport),
            )
        )

    def token(self) -> str:
        """A token, renewed silently when it has run out."""
        return self._silently(force=False)

    def renewed(self) -> str:
        """A new token from Microsoft, silently."""
        return self._silently(force=True)

    def begin(self) -> DeviceCode:
        """Ask Microsoft for a code a person can sign in with."""
        with self._app as app:
            flow = app.initiate_device_flow(scopes=list(PERSON_SCOPES))
        if "user_code" not in flow:
            raise _problem(flow)
        return DeviceCode(flow["verification_uri"], flow["user_code"], flow)

    def finish(self, begun: DeviceCode) -> str:
        """Wait until the person has signed in, keep it, and give their name at Microsoft."""
        with self._app as app:
            self._cache.load()
            result = app.acquire_token_by_device_flow(dict(begun.flow))
            _token(result)
            self._keep_only(app, result)
            self._cache.save()
        claims = result.get("id_token_claims") or {}
        return str(claims.get("preferred_username") or "the person who signed in")

    def _keep_only(self, app: msal.ClientApplication, result: Mapping[str, Any]) -> None:
        # The desk acts for one person: whoever signed in last.
        mine = (result.get("id_token_claims") or {}).get("preferred_username")
        for account in app.get_accounts():
            if account.get("username") != mine:
                app.remove_account(account)

    def _silently(self, *, force: bool) -> str:
        with self._app as app:
            self._cache.load()
            accounts = app.get_accounts()
            if not accounts:
                raise SignInProblem(f"Nobody has signed the desk in at Microsoft. {_SIGN_IN_AGAIN}")
            result = app.acquire_token_silent_with_error(
                list(PERSON_SCOPES), account=accounts[0], force_refresh=force
            )
            self._cache.save()
        return _token(result)


class _Lazily:
    """msal's app, made when first needed, since making it asks Microsoft; one caller at a time."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._made: Any = None
        self._lock = Lock()

    def __enter__(self) -> msal.ClientApplication:
        self._lock.acquire()
        try:
            if self._made is None:
                self._made = self._make()
        except BaseException as error:
            self._lock.release()
            if isinstance(error, ValueError):
                raise _unknown_directory() from None
            raise
        return self._made

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        self._lock.release()
        if isinstance(error, ValueError):
            # msal looks the directory up on the first call only, and says so with a ValueError.
            raise _unknown_directory() from None


class _Http:
    """What msal needs of an HTTP client, kept by httpx like every other call of the desk's."""

    def __init__(self, transport: httpx.BaseTransport | None) -> None:
        self._client = httpx.Client(timeout=_TIMEOUT, transport=transport)

    def get(self, url: str, **named: object) -> httpx.Response:
        return self._sent("GET", url, named)

    def post(self, url: str, **named: object) -> httpx.Response:
        return self._sent("POST", url, named)

    def close(self) -> None:
        self._client.close()

    def _sent(self, method: str, url: str, named: Mapping[str, Any]) -> httpx.Response:
        data = named.get("data")
        body = {"content": data} if isinstance(data, str | bytes) else {"data": data}
        try:
            return self._client.request(
                method, url, params=named.get("params"), headers=named.get("headers"), **body
            )
        except httpx.HTTPError as problem:
            raise NotReached(code=type(problem).__name__) from None


def _token(result: Mapping[str, Any] | None) -> str:
    token = (result or {}).get("access_token")
    if isinstance(token, str) and token:
        return token
    raise _problem(result or {})


def _problem(result: Mapping[str, Any]) -> SignInProblem:
    """A refused sign-in in plain words. Only Microsoft's code of its description is repeated."""
    found = _MICROSOFT_CODE.search(str(result.get("error_description", "")))
    code = found[0] if found else str(result.get("error", "no token"))
    sentence = (
        _PLAIN.get(code)
        or _PLAIN.get(str(result.get("error")))
        or ("Microsoft does not let the desk in. Look the code up, or sign in again.")
    )
    return SignInProblem(f"{sentence} Microsoft's code is {code}.")


def _unknown_directory() -> SignInProblem:
    return SignInProblem(
        "Microsoft knows no such directory (tenant). Correct it under Settings → Workbook."
    )


_PLAIN: Final[Mapping[str, str]] = {
    "AADSTS7000215": "Microsoft does not accept the client secret. Make a new one in the app's "
    "registration and put it in under Settings → Workbook: its value, not its ID.",
    "AADSTS7000222": "The client secret has run out. Make a new one in the app's registration and "
    "put it in under Settings → Workbook.",
    "AADSTS700016": "The directory (tenant) knows no application with this client ID. Correct one "
    "of them under Settings → Workbook.",
    "AADSTS90002": "Microsoft knows no such directory (tenant). Correct it under Settings → "
    "Workbook.",
    "AADSTS7000218": "The app's registration does not allow signing in by code. Switch on “Allow "
    "public client flows” there, or give the desk a client secret.",
    "AADSTS65001": f"Nobody has yet allowed the app to change files. {_SIGN_IN_AGAIN}",
    "invalid_client": "Microsoft does not accept the client ID with its secret. Correct them under "
    "Settings → Workbook.",
    "invalid_grant": f"The sign-in at Microsoft has ended. {_SIGN_IN_AGAIN}",
    "interaction_required": f"Microsoft wants a person to sign in again. {_SIGN_IN_AGAIN}",
    "authorization_declined": f"The sign-in was declined. {_SIGN_IN_AGAIN}",
    "expired_token": f"The code ran out before anyone signed in. {_SIGN_IN_AGAIN}",
}
"""What to do about Microsoft's sign-in codes (page “Microsoft Entra authentication and
authorization error codes”) and OAuth's."""
