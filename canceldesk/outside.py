"""The outside world as the rooms see it: Billsby and the list, made from the settings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import httpx
from django.conf import settings

from canceldesk.billsby import Billsby
from canceldesk.billsby.client import HttpBillsby
from canceldesk.configuration import services as configuration
from canceldesk.configuration.reading import BadSettingError
from canceldesk.workbook.graph import links
from canceldesk.workbook.protocol import CancellationList
from canceldesk.workbook.rows.pairs import pairs
from canceldesk.workbook.workbooklist import WorkbookList

if TYPE_CHECKING:
    from canceldesk.workbook.graph.graphlist import GraphList


class NotSetUpError(Exception):
    """Something outside has not been set up yet; the text says what to fill in where."""


@dataclass(frozen=True)
class _Replaced:
    billsby: Billsby | None = None
    the_list: CancellationList | None = None


_replaced = _Replaced()
_making = Lock()


def billsby() -> Billsby:
    """The company's Billsby. One client per process and settings, so that its rate limit holds.

    Raises NotSetUpError when the company domain or the key is missing, or when one of its settings
    holds what cannot be used.
    """
    if _replaced.billsby is not None:
        return _replaced.billsby
    with _as_not_set_up():
        return _billsby_of_settings()


def _billsby_of_settings() -> Billsby:
    domain, key = configuration.text("BILLSBY_DOMAIN"), configuration.text("BILLSBY_API_KEY")
    if not domain or not key:
        raise NotSetUpError(
            "Billsby is not set up yet. An admin fills in the company domain and the API key "
            "under Settings → Billsby."
        )
    url, rate = configuration.text("BILLSBY_URL"), configuration.number("BILLSBY_RATE")
    with _making:  # lru_cache alone may make two when two threads come first
        try:
            return _http_billsby(url, domain, key, rate)
        except (ValueError, httpx.InvalidURL) as problem:
            raise NotSetUpError(
                f"Billsby cannot be used: {problem} An admin corrects the API key and the API "
                "address under Settings → Billsby."
            ) from None


@lru_cache(maxsize=2)
def _http_billsby(url: str, domain: str, key: str, rate: float) -> HttpBillsby:
    return HttpBillsby(base_url=url, company_domain=domain, api_key=key, rate_per_second=rate)


def the_list() -> CancellationList:
    """The cancellation tab of the company's workbook.

    Raises NotSetUpError when no workbook is set, or when one of its settings cannot be understood.
    """
    if _replaced.the_list is not None:
        return _replaced.the_list
    with _as_not_set_up():
        return _list_of_settings()


def _list_of_settings() -> CancellationList:
    path = configuration.text("WORKBOOK_PATH")
    if not path:
        raise NotSetUpError(
            "No workbook is set up yet. An admin fills in its path under Settings → Workbook."
        )
    if links.is_link(path):
        return _cloud_list_of_settings(path)
    return WorkbookList(
        path,
        tab=configuration.text("WORKBOOK_TAB") or None,
        headings=pairs(configuration.text("WORKBOOK_HEADINGS")),
        fill=pairs(configuration.text("WORKBOOK_FILL")),
        currency=configuration.text("CURRENCY"),
        lock_wait_seconds=5,
        backups=configuration.whole("WORKBOOK_BACKUPS"),
    )


def _cloud_list_of_settings(link: str) -> CancellationList:
    tenant = configuration.text("MICROSOFT_TENANT")
    client_id = configuration.text("MICROSOFT_CLIENT_ID")
    if not tenant or not client_id:
        raise NotSetUpError(
            "The workbook is in OneDrive or SharePoint, so the desk signs in at Microsoft. An "
            "admin fills in the directory (tenant) and the application (client) ID under "
            "Settings → Workbook."
        )
    with _making:
        return _graph_list(
            link,
            tenant,
            client_id,
            configuration.text("MICROSOFT_CLIENT_SECRET"),
            configuration.text("WORKBOOK_TAB"),
            configuration.text("WORKBOOK_HEADINGS"),
            configuration.text("WORKBOOK_FILL"),
            configuration.text("CURRENCY"),
        )


@lru_cache(maxsize=2)
def _graph_list(
    link: str,
    tenant: str,
    client_id: str,
    secret: str,
    tab: str,
    told_headings: str,
    told_fill: str,
    currency: str,
) -> GraphList:
    """One list per process and settings, so that its token and connections serve every pass."""
    # What signs in at Microsoft takes a while to load, and few companies need it.
    from canceldesk.workbook.graph.exchange import Exchange
    from canceldesk.workbook.graph.graphlist import GraphList
    from canceldesk.workbook.graph.signin import CACHE_NAME, AppSignIn, PersonSignIn

    data = Path(settings.DATA)
    sign_in = (
        AppSignIn(tenant=tenant, client_id=client_id, secret=secret)
        if secret
        else PersonSignIn(tenant=tenant, client_id=client_id, cache=data / CACHE_NAME)
    )
    return GraphList(
        link,
        Exchange(sign_in),
        lock_folder=data,
        tab=tab or None,
        headings=pairs(told_headings),
        fill=pairs(told_fill),
        currency=currency,
    )


@contextmanager
def _as_not_set_up() -> Iterator[None]:
    # Whoever asks for the outside world can say in one place why it is not there.
    try:
        yield
    except BadSettingError as problem:
        raise NotSetUpError(str(problem)) from None


@contextmanager
def using(
    *, billsby: Billsby | None = None, the_list: CancellationList | None = None
) -> Iterator[None]:
    """Put something else in place of the outside world (tests and rehearsals)."""
    global _replaced  # noqa: PLW0603 - one outside world for the process
    before = _replaced
    _replaced = replace(
        before, billsby=billsby or before.billsby, the_list=the_list or before.the_list
    )
    try:
        yield
    finally:
        _replaced = before
