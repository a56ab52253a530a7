"""A pivot table over the list, made by hand: its cache, the cached records, the table."""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape

from tests.workbook.everything import layout
from tests.workbook.everything.handmade import BOOK, MAIN, OFFICE, Parts
from tests.workbook.everything.layout import Client, Shape

_KIND: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_SHEET: Final = "xl/worksheets/sheet5.xml"
_REASONS: Final = (*layout.REASONS, layout.FILTERED_OUT)


def add(parts: Parts, shape: Shape) -> None:
    """Put the pivot table onto the tab Pivot."""
    cache = "xl/pivotCache/pivotCacheDefinition1.xml"
    parts.add(cache, _definition(shape), f"{_KIND}.pivotCacheDefinition+xml")
    parts.add("xl/pivotCache/pivotCacheRecords1.xml", _records(), f"{_KIND}.pivotCacheRecords+xml")
    parts.relate(cache, f"{OFFICE}/pivotCacheRecords", "pivotCacheRecords1.xml")
    made = parts.relate(BOOK, f"{OFFICE}/pivotCacheDefinition", cache.removeprefix("xl/"))
    caches = f'<pivotCaches><pivotCache cacheId="7" r:id="{made}"/></pivotCaches>'
    text = parts.members[BOOK].decode()
    calculation = text[text.index("<calcPr") : text.index("/>", text.index("<calcPr")) + 2]
    parts.change(BOOK, calculation, calculation + caches)
    table = "xl/pivotTables/pivotTable1.xml"
    parts.add(table, _table(), f"{_KIND}.pivotTable+xml")
    parts.relate(table, f"{OFFICE}/pivotCacheDefinition", "../pivotCache/pivotCacheDefinition1.xml")
    parts.relate(
        "xl/worksheets/sheet5.xml", f"{OFFICE}/pivotTable", "../pivotTables/pivotTable1.xml"
    )


def _definition(shape: Shape) -> str:
    reasons = "".join(f'<s v="{reason}"/>' for reason in _REASONS)
    items = {"Reason": f'<sharedItems count="{len(_REASONS)}">{reasons}</sharedItems>'}
    plain = "<sharedItems/>"
    fields = "".join(
        f'<cacheField name="{heading}" numFmtId="0">{items.get(heading, plain)}</cacheField>'
        for heading in layout.HEADINGS
    )
    tab = escape(shape.tab, {'"': "&quot;"})
    return (
        f'<pivotCacheDefinition xmlns="{MAIN}" xmlns:r="{OFFICE}" r:id="rIdMade1" '
        'refreshedBy="Office" refreshedDate="46300" createdVersion="6" refreshedVersion="6" '
        f'minRefreshableVersion="3" recordCount="{len(layout.clients())}">'
        f'<cacheSource type="worksheet"><worksheetSource ref="A4:H24" sheet="{tab}"/>'
        f'</cacheSource><cacheFields count="8">{fields}</cacheFields></pivotCacheDefinition>'
    )


def _records() -> str:
    def record(client: Client) -> str:
        return (
            f'<r><s v="{client.name}"/><s v="{client.phone}"/>'
            f'<d v="{client.cancelled_on.isoformat()}T00:00:00"/><n v="{client.collected}"/>'
            f'<n v="{client.months}"/><x v="{_REASONS.index(client.reason)}"/>'
            f'<n v="{client.collected / client.months}"/><b v="{int(client.row % 2 == 0)}"/></r>'
        )

    records = "".join(record(client) for client in layout.clients())
    count = len(layout.clients())
    return f'<pivotCacheRecords xmlns="{MAIN}" count="{count}">{records}</pivotCacheRecords>'


def _table() -> str:
    fields = "".join(
        '<pivotField axis="axisRow" showAll="0"><items count="5"><item x="0"/><item x="1"/>'
        '<item x="2"/><item x="3"/><item t="default"/></items></pivotField>'
        if heading == "Reason"
        else f"<pivotField {'dataField=' + chr(34) + '1' + chr(34) if number == 3 else ''} "
        'showAll="0"/>'
        for number, heading in enumerate(layout.HEADINGS)
    )
    rows = "".join(f'<i><x v="{number}"/></i>' for number in range(4))
    return (
        f'<pivotTableDefinition xmlns="{MAIN}" name="ByReason" cacheId="7" dataCaption="Values" '
        'updatedVersion="6" minRefreshableVersion="3" createdVersion="6" indent="0" outline="1" '
        'outlineData="1"><location ref="A3:B8" firstHeaderRow="1" firstDataRow="1" '
        f'firstDataCol="1"/><pivotFields count="8">{fields}</pivotFields>'
        f'<rowFields count="1"><field x="5"/></rowFields><rowItems count="5">{rows}'
        '<i t="grand"><x/></i></rowItems><colItems count="1"><i/></colItems>'
        '<dataFields count="1"><dataField name="Sum of Total Amount Collected" fld="3" '
        'baseField="0" baseItem="0"/></dataFields></pivotTableDefinition>'
    )
