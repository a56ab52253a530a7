"""Finding the workbook's file by its link or address.

Files are then spoken of by drive and item, since workbook calls by path are known to fail where
calls by item succeed, and a renamed file stays the same item.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from canceldesk.workbook.graph import links
from canceldesk.workbook.graph.exchange import Exchange
from canceldesk.workbook.graph.links import SharedLink, SiteFile
from canceldesk.workbook.graph.patience import Patience
from canceldesk.workbook.graph.problems import Refused

_FIELDS = "id,name,parentReference,file"


@dataclass(frozen=True)
class Item:
    """A file by its drive and its ID there; `name` is the file's."""

    drive: str
    id: str
    name: str

    @property
    def address(self) -> str:
        """Its path in Graph."""
        return f"/drives/{quote(self.drive, safe='')}/items/{quote(self.id, safe='')}"


def find(exchange: Exchange, link: str, patience: Patience) -> Item:
    """The file `link` leads to. Raises `Refused` (404) when there is none.

    An app goes by site and library where the link is a plain address, so that it needs rights on
    that one site only (`Sites.Selected`); sharing links, and people, go by the shares API.
    """
    place = links.site_file(link) if exchange.acts_as_app else None
    if place is None:
        return _shared(exchange, links.shared(link), patience)
    return _on_site(exchange, place, patience)


def _shared(exchange: Exchange, link: SharedLink, patience: Patience) -> Item:
    found = exchange.read(
        f"/shares/{link.share_id}/driveItem?$select={_FIELDS}",
        patience,
        doing="follow the workbook's link",
        headers={} if exchange.acts_as_app else {"Prefer": "redeemSharingLinkIfNecessary"},
    )
    return _item(found)


def _on_site(exchange: Exchange, place: SiteFile, patience: Patience) -> Item:
    colon = f":{quote(place.site)}" if place.site else ""
    site = exchange.read(
        f"/sites/{place.host}{colon}?$select=id", patience, doing="find the workbook's site"
    )
    drives = exchange.pages(
        f"/sites/{quote(str(site.get('id')), safe=',')}/drives?$select=id,webUrl",
        patience,
        doing="find the workbook's library",
    )
    drive, inside = _library(drives, place)
    found = exchange.read(
        f"/drives/{quote(drive, safe='')}/root:/{links.quoted(inside)}?$select={_FIELDS}",
        patience,
        doing="find the workbook",
    )
    return _item(found)


def _library(drives: list[dict[str, Any]], place: SiteFile) -> tuple[str, str]:
    """The library that holds the path, and the rest of the path inside it."""
    best: tuple[str, str] | None = None
    longest = 0
    for drive in drives:
        root = unquote(urlsplit(str(drive.get("webUrl", ""))).path).rstrip("/") + "/"
        if place.path.casefold().startswith(root.casefold()) and len(root) > longest:
            longest = len(root)
            best = (str(drive.get("id")), place.path[len(root) :])
    if best is None:
        raise Refused(status=404, code="itemNotFound")
    return best


def _item(found: dict[str, Any]) -> Item:
    parent = found.get("parentReference")
    drive = parent.get("driveId") if isinstance(parent, dict) else None
    if not drive or not found.get("id") or "file" not in found:
        raise Refused(status=404, code="itemNotFound")
    return Item(str(drive), str(found["id"]), str(found.get("name") or "the workbook"))
