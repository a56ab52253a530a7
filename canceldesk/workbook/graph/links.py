"""Where a workbook in OneDrive or SharePoint is, from the link or address a person pastes."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote, urlsplit

_WORKBOOKS: Final = (".xlsx", ".xlsm")
_SITE_ROOTS: Final = frozenset(("sites", "teams", "personal"))


@dataclass(frozen=True)
class SharedLink:
    """A link somebody shared; `share_id` is how Graph wants it (page “Access shared items”)."""

    share_id: str


@dataclass(frozen=True)
class SiteFile:
    """A file by its plain address: the host, the site (`/sites/Billing`, empty for the root site)
    and the decoded path of the file from the host's root on.
    """

    host: str
    site: str
    path: str


def is_link(where: str) -> bool:
    """Whether `where` is a link rather than a path on a disk."""
    return where.strip().casefold().startswith(("https://", "http://"))


def shared(link: str) -> SharedLink:
    """Any link or address of a file as a shared link."""
    encoded = base64.urlsafe_b64encode(link.strip().encode()).decode().rstrip("=")
    return SharedLink(f"u!{encoded}")


def site_file(link: str) -> SiteFile | None:
    """The file's place on its site when `link` is a plain address; None for a sharing link."""
    parts = urlsplit(link.strip())
    path = unquote(parts.path)
    names = [name for name in path.split("/") if name]
    if not names or names[0].startswith(":") or not path.casefold().endswith(_WORKBOOKS):
        return None
    if not (parts.hostname or "").endswith((".sharepoint.com", ".sharepoint.us")):
        return None
    in_site = len(names) > 2 and names[0].casefold() in _SITE_ROOTS  # noqa: PLR2004 - root, name
    site = f"/{names[0]}/{names[1]}" if in_site else ""
    return SiteFile(parts.hostname or "", site, path)


def quoted(path: str) -> str:
    """A path with every name quoted, so that no name can reach another place."""
    return "/".join(quote(name, safe="") for name in path.strip("/").split("/"))
