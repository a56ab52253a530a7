"""A Microsoft sign-in to practise on: what msal asks of it, for one app and one person."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx

HOST = "https://login.microsoftonline.com"
TENANT = "acme.example.com"
CLIENT = "11111111-2222-3333-4444-555555555555"
SECRET = "the-secret-of-the-app"


@dataclass
class PracticeMicrosoft:
    """Answers an `httpx` client in the same process. `refusal` is a sign-in error to give."""

    refusal: tuple[str, str] | None = None
    pending: int = 0
    person: str = "nora@example.com"
    down: bool = False
    asked: list[dict[str, str]] = field(default_factory=list)
    _made: int = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if self.down:
            raise httpx.ConnectError("no route", request=request)
        path = request.url.path
        if path.endswith("/openid-configuration"):
            return self._directory(path)
        form = {key: values[0] for key, values in parse_qs(request.content.decode()).items()}
        self.asked.append(form)
        if self.refusal is not None:
            error, description = self.refusal
            body = {"error": error, "error_description": description}
            return httpx.Response(400, json=body)
        if path.endswith("/devicecode"):
            return httpx.Response(200, json=_DEVICE)
        return self._token(form)

    def _directory(self, path: str) -> httpx.Response:
        if TENANT not in path:
            return httpx.Response(400, json={"error": "invalid_tenant"})
        base = f"{HOST}/{TENANT}"
        return httpx.Response(
            200,
            json={
                "issuer": f"{base}/v2.0",
                "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
                "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            },
        )

    def _token(self, form: Mapping[str, str]) -> httpx.Response:
        if form["grant_type"].endswith("device_code") and self.pending:
            self.pending -= 1
            body = {"error": "authorization_pending", "error_description": "AADSTS70016: pending"}
            return httpx.Response(400, json=body)
        if form["grant_type"] == "client_credentials" and form.get("client_secret") != SECRET:
            body = {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid secret"}
            return httpx.Response(401, json=body)
        self._made += 1
        found: dict[str, Any] = {
            "token_type": "Bearer",
            "expires_in": 3600,
            "access_token": f"access-{self._made}",
        }
        if form["grant_type"] != "client_credentials":
            found |= {
                "refresh_token": f"refresh-{self._made}",
                "scope": "https://graph.microsoft.com/Files.ReadWrite.All profile openid",
                "client_info": _encoded({"uid": self.person, "utid": TENANT}),
                "id_token": f"{_encoded({'alg': 'none'})}.{_encoded(self._claims())}.",
            }
        return httpx.Response(200, json=found)

    def _claims(self) -> dict[str, Any]:
        now = int(time.time())
        return {
            "iss": f"{HOST}/{TENANT}/v2.0",
            "aud": CLIENT,
            "iat": now,
            "exp": now + 3600,
            "sub": self.person,
            "oid": self.person,
            "tid": TENANT,
            "preferred_username": self.person,
        }


_DEVICE = {
    "device_code": "device-code-of-the-practice",
    "user_code": "ABCD-1234",
    "verification_uri": "https://microsoft.com/devicelogin",
    "expires_in": 900,
    "interval": 0,
    "message": "To sign in ...",
}


def _encoded(claims: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
