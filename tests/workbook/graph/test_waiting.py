"""Sessions and tokens that end, Microsoft asking to wait, locks, large lists, lost replies."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from canceldesk.workbook.errors import (
    CannotEdit,
    CannotRead,
    CannotSave,
    InUse,
    ListError,
    ReadBackDiffers,
)
from canceldesk.workbook.graph import seeing
from canceldesk.workbook.graph.patience import SECONDS
from canceldesk.workbook.protocol import matches
from tests.workbook.building import client
from tests.workbook.graph.building import NEW, PracticeSignIn, book, put, saved, the_list
from tests.workbook.graph.practice.faults import (
    Effect,
    Fault,
    any_call,
    ending,
    error,
    holding,
    writes,
)
from tests.workbook.graph.practice.graph import ADDRESS, LINK, PracticeGraph

THROTTLED = error(429, "tooManyRequests", "tooManyRequestsUncategorized", retry_after=7)


def added_rows(graph: PracticeGraph, folder: Path) -> int:
    return sum(matches(row, NEW) for row in the_list(graph, folder).read().rows)


# ------------------------------------------------------------------ asked to wait


def test_microsoft_is_waited_for_as_long_as_it_asks(tmp_path: Path) -> None:
    graph = PracticeGraph(book(), faults=[Fault(any_call, answer=THROTTLED, times=2)])

    the_list(graph, tmp_path).read()

    assert graph.clock.naps == [7, 7]


def test_a_date_to_wait_for_is_understood(tmp_path: Path) -> None:
    until = error(503, "serviceUnavailable", retry_after="Mon, 23 Nov 2026 00:00:12 GMT")
    graph = PracticeGraph(book(), faults=[Fault(any_call, answer=until)])

    the_list(graph, tmp_path).read()

    assert graph.clock.naps == [12]


@pytest.mark.parametrize("header", ["soon", "-5", None])
def test_a_time_that_says_nothing_is_no_trouble(tmp_path: Path, header: str | None) -> None:
    answer = error(429, "tooManyRequests", retry_after=header)
    graph = PracticeGraph(book(), faults=[Fault(any_call, answer=answer)])

    assert len(the_list(graph, tmp_path).read().rows) == 3


def test_a_wait_longer_than_patience_is_not_begun(tmp_path: Path) -> None:
    long = error(429, "tooManyRequests", retry_after=SECONDS + 1)
    graph = PracticeGraph(book(), faults=[Fault(any_call, answer=long, times=9)])
    desk = the_list(graph, tmp_path)

    with pytest.raises(CannotRead, match="asks the desk to wait"):
        desk.read()
    with pytest.raises(CannotSave, match="Nothing was written"):
        desk.add(NEW)
    assert graph.clock.naps == []


def test_patience_ends(tmp_path: Path) -> None:
    graph = PracticeGraph(book(), faults=[Fault(any_call, times=999)])

    with pytest.raises(CannotRead, match="did not answer as it should") as problem:
        the_list(graph, tmp_path).read()
    assert problem.value.passing
    assert graph.clock.naps == [1, 2, 4, 8, 10, 10]


def test_an_unreachable_microsoft_is_told(tmp_path: Path) -> None:
    graph = PracticeGraph(book())

    def down(request: httpx.Request) -> None:
        raise httpx.ConnectError("no route", request=request)

    graph.meanwhile = down

    with pytest.raises(CannotSave, match="could not be reached. Check the network") as problem:
        the_list(graph, tmp_path).add(NEW)
    assert problem.value.passing


# ------------------------------------------------------------------ sessions and tokens


@pytest.mark.parametrize("table", [True, False])
def test_a_session_that_ends_between_any_two_calls_is_opened_anew(
    tmp_path: Path, table: bool
) -> None:
    graph = PracticeGraph(book(table=table))
    whole = len(graph.calls)
    the_list(graph, tmp_path).add(NEW)
    calls = len(graph.calls) - whole
    for at in range(2, calls):
        graph = PracticeGraph(book(table=table))

        def end(_request: object, at: int = at, graph: PracticeGraph = graph) -> None:
            if len(graph.calls) == at:
                graph.end_sessions()

        graph.meanwhile = end
        the_list(graph, tmp_path).add(NEW)
        assert added_rows(graph, tmp_path) == 1


def test_a_session_that_is_opened_slowly_is_waited_for(tmp_path: Path) -> None:
    graph = PracticeGraph(book(), opens_slowly=3)

    assert len(the_list(graph, tmp_path).read().rows) == 3
    assert graph.clock.naps == [1, 2]


def test_a_workbook_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    cannot = error(400, "invalidRequest", "unsupportedWorkbook")
    graph = PracticeGraph(book(), faults=[Fault(ending("/createSession"), answer=cannot)])

    with pytest.raises(CannotRead, match="Open it in Excel for the web to see what"):
        the_list(graph, tmp_path).read()


def test_a_slow_opening_that_fails_is_told(tmp_path: Path) -> None:
    failed = httpx.Response(
        200, json={"status": "failed", "error": {"code": "internalServerError"}}
    )
    graph = PracticeGraph(
        book(), opens_slowly=3, faults=[Fault(holding("/operations/"), answer=failed, times=99)]
    )

    with pytest.raises(CannotRead, match="did not answer as it should"):
        the_list(graph, tmp_path).read()


@pytest.mark.parametrize("table", [True, False])
def test_a_token_that_runs_out_midway_is_renewed_once(tmp_path: Path, table: bool) -> None:
    graph = PracticeGraph(book(table=table))
    sign_in = PracticeSignIn(graph)
    desk = the_list(graph, tmp_path, sign_in=sign_in)

    def run_out(_request: object) -> None:
        if len(graph.calls) == 6:
            graph.tokens.clear()

    graph.meanwhile = run_out
    desk.add(NEW)

    assert sign_in.renewals == 1
    assert added_rows(graph, tmp_path) == 1
    assert graph.clock.naps == []


def test_a_sign_in_that_is_not_taken_at_all_is_told(tmp_path: Path) -> None:
    graph = PracticeGraph(book())
    graph.faults = [Fault(any_call, answer=error(401, "InvalidAuthenticationToken"), times=99)]
    sign_in = PracticeSignIn(graph)

    with pytest.raises(CannotRead, match="does not take the desk's sign-in") as problem:
        the_list(graph, tmp_path, sign_in=sign_in).read()
    assert sign_in.renewals == 1
    assert sign_in.token() not in str(problem.value)


# ------------------------------------------------------------------ locks and rights


@pytest.mark.parametrize("table", [True, False])
def test_a_workbook_locked_by_someone_is_in_use(tmp_path: Path, table: bool) -> None:
    graph = PracticeGraph(book(table=table), locked=True)
    desk = the_list(graph, tmp_path)

    with pytest.raises(InUse, match="locked. Ask whoever has it open") as problem:
        desk.add(NEW)
    assert problem.value.by == "someone in Excel"
    with pytest.raises(InUse):
        desk.remove(desk.read().rows[0])

    graph.locked = False
    desk.add(NEW)
    assert added_rows(graph, tmp_path) == 1


def test_a_short_lock_is_waited_out(tmp_path: Path) -> None:
    locked = error(409, "conflict", "accessConflict")
    graph = PracticeGraph(book(), faults=[Fault(writes, answer=locked, times=3)])

    the_list(graph, tmp_path).add(NEW)

    assert graph.clock.naps == [1, 2, 4]


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (error(403, "accessDenied"), "the right to edit the file"),
        (error(409, "conflict", "filteredRangeConflict"), "Clear the filter"),
        (error(400, "invalidRequest", "nonBlankCellOffSheet"), "used down to its last row"),
        (error(400, "invalidRequest", "somethingNew"), r"refuses it \(somethingNew\)"),
        (httpx.Response(400, text="<html>"), r"refuses it \(400\)"),
    ],
)
def test_what_is_refused_is_told_in_plain_words(
    tmp_path: Path, answer: httpx.Response, sentence: str
) -> None:
    graph = PracticeGraph(book(), faults=[Fault(ending("/insert"), answer=answer)])

    with pytest.raises(CannotEdit, match=sentence) as problem:
        the_list(graph, tmp_path).add(NEW)
    assert not problem.value.passing
    assert "For developers" not in problem.value.sentence
    assert problem.value.sentence.endswith("Nothing was written.")
    assert problem.value.__cause__ is None


def test_a_refusal_after_the_line_was_inserted_does_not_claim_that_nothing_was(
    tmp_path: Path,
) -> None:
    refused = error(403, "accessDenied")
    fault = Fault(ending("F5')", "PATCH"), answer=refused)
    graph = PracticeGraph(book(), content=saved(), faults=[fault])
    desk = the_list(graph, tmp_path)

    with pytest.raises(ReadBackDiffers, match="not known whether the row was added"):
        desk.add(NEW)

    desk.add(NEW)
    assert [row.row_number for row in desk.read().rows] == [5, 6, 7, 8]


def test_a_link_that_leads_nowhere_is_told_and_asked_again(tmp_path: Path) -> None:
    gone = error(404, "itemNotFound")
    graph = PracticeGraph(book(), faults=[Fault(holding("/shares/"), answer=gone)])
    desk = the_list(graph, tmp_path)

    with pytest.raises(CannotRead, match="Check the link under Settings"):
        desk.read()
    assert len(desk.read().rows) == 3


def test_a_file_that_was_moved_is_found_again_by_its_link(tmp_path: Path) -> None:
    graph = PracticeGraph(book())
    desk = the_list(graph, tmp_path)
    desk.read()
    graph.faults = [Fault(ending("/createSession"), answer=error(404, "itemNotFound"))]

    with pytest.raises(CannotRead):
        desk.read()
    desk.read()

    assert sum("/shares/" in call for call in graph.calls) == 2


# ------------------------------------------------------------------ places, pages, blocks


def test_an_app_goes_by_the_site_of_a_plain_address(tmp_path: Path) -> None:
    graph = PracticeGraph(book(), page_size=1)

    assert len(the_list(graph, tmp_path, link=ADDRESS).read().rows) == 3
    assert not [call for call in graph.calls if "/shares/" in call]


def test_a_person_goes_by_the_shares_of_a_plain_address(tmp_path: Path) -> None:
    graph = PracticeGraph(book())
    person = PracticeSignIn(graph, acts_as_app=False)

    the_list(graph, tmp_path, link=ADDRESS, sign_in=person).read()

    assert "/shares/" in graph.calls[0]


@pytest.mark.parametrize(
    "link", [ADDRESS.replace("Lists", "Elsewhere"), ADDRESS.replace("Shared%20Documents", "Gone")]
)
def test_an_address_without_a_file_is_told(tmp_path: Path, link: str) -> None:
    with pytest.raises(CannotRead, match="there is no such workbook"):
        the_list(PracticeGraph(book()), tmp_path, link=link).read()


@pytest.mark.parametrize("table", [True, False])
def test_collections_come_in_pages(tmp_path: Path, table: bool) -> None:
    graph = PracticeGraph(book(table=table), page_size=1)

    the_list(graph, tmp_path).add(NEW)

    assert added_rows(graph, tmp_path) == 1


def test_a_page_elsewhere_gets_no_token(tmp_path: Path) -> None:
    elsewhere = httpx.Response(
        200, json={"value": [], "@odata.nextLink": "https://elsewhere.example.com/next"}
    )
    graph = PracticeGraph(book(), faults=[Fault(ending("/worksheets"), answer=elsewhere, times=99)])

    with pytest.raises(CannotRead):
        the_list(graph, tmp_path).read()


def test_a_long_list_is_read_in_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seeing, "CELLS_AT_ONCE", 360)
    graph = PracticeGraph(book(0))
    for number in range(1, 201):
        put(graph.book.tab("{list}"), 4 + number, 1, client(number % 90 + 1))
    desk = the_list(graph, tmp_path)

    assert len(desk.read().rows) == 200
    assert sum("range(address=" in call for call in graph.calls) == 4
    assert desk.add(NEW).row_number == 5


def test_a_block_that_is_not_whole_is_not_taken_for_the_list(tmp_path: Path) -> None:
    part = httpx.Response(200, json={"values": [["x"]], "numberFormat": [], "formulas": []})
    graph = PracticeGraph(book(), faults=[Fault(holding("range(address="), answer=part)])

    with pytest.raises(CannotRead, match="only a part of the list"):
        the_list(graph, tmp_path).read()


# ------------------------------------------------------------------ lost replies


@pytest.mark.parametrize("seconds", [3, 10, 14])
@pytest.mark.parametrize("end", ["/insert", "/rows/add", "F5')"])
def test_a_late_effect_is_waited_for(tmp_path: Path, end: str, seconds: float) -> None:
    timeout = error(504, "gatewayTimeout", "gatewayTimeoutUncategorized")
    fault = Fault(ending(end), Effect.LATE, timeout, seconds=seconds)
    graph = PracticeGraph(book(table=end == "/rows/add"), faults=[fault])

    the_list(graph, tmp_path).add(NEW)

    graph.clock.at += 60
    rows = the_list(graph, tmp_path).read().rows
    assert [matches(row, NEW) for row in rows] == [True, False, False, False]


def test_a_row_of_a_table_is_never_sent_twice_while_the_first_may_yet_come(
    tmp_path: Path,
) -> None:
    fault = Fault(ending("/rows/add"), Effect.LATE, None, seconds=50)
    graph = PracticeGraph(book(table=True), faults=[fault])

    with pytest.raises(ReadBackDiffers, match="The desk looks at the list again"):
        the_list(graph, tmp_path).add(NEW)

    assert sum(call.endswith("/rows/add") for call in graph.calls) == 1
    graph.clock.at += 60
    assert added_rows(graph, tmp_path) == 1


def test_a_line_inserted_late_is_used_by_the_next_row(tmp_path: Path) -> None:
    fault = Fault(ending("/insert"), Effect.LATE, None, seconds=25)
    graph = PracticeGraph(book(), content=saved(), faults=[fault])
    desk = the_list(graph, tmp_path)
    desk.add(NEW)
    graph.clock.at += 60

    assert [row.row_number for row in desk.read().rows] == [6, 7, 8, 9]
    desk.add(replace(NEW, name="Omar Other"))

    assert [row.row_number for row in desk.read().rows] == [5, 6, 7, 8, 9]


def test_a_reply_that_is_no_json_counts_as_lost(tmp_path: Path) -> None:
    page = httpx.Response(200, text="<html>proxy</html>")
    graph = PracticeGraph(book(), faults=[Fault(ending("/insert"), Effect.DONE, page)])

    the_list(graph, tmp_path).add(NEW)

    assert [row.row_number for row in the_list(graph, tmp_path).read().rows] == [5, 6, 7, 8]


# ------------------------------------------------------------------ workers, logs


def test_workers_on_one_machine_take_turns(tmp_path: Path) -> None:
    graph = PracticeGraph(book())
    inside = threading.Event()
    go_on = threading.Event()

    def stop(_request: object) -> None:
        graph.meanwhile = None
        inside.set()
        go_on.wait(10)

    first = the_list(graph, tmp_path)
    first.read()
    graph.meanwhile = stop
    worker = threading.Thread(target=first.add, args=(NEW,))
    worker.start()
    inside.wait(10)
    try:
        with pytest.raises(InUse, match="another worker of the desk"):
            the_list(graph, tmp_path).add(NEW)
    finally:
        go_on.set()
        worker.join(10)
    assert added_rows(graph, tmp_path) == 1


def test_neither_token_nor_link_nor_client_is_logged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    graph = PracticeGraph(book())
    graph.faults = [Fault(any_call, answer=THROTTLED), Fault(any_call, times=99, after=6)]
    sign_in = PracticeSignIn(graph)
    desk = the_list(graph, tmp_path, sign_in=sign_in)

    with pytest.raises(ListError) as problem:
        desk.add(NEW)

    said = capsys.readouterr().out + repr(problem.value) + repr(desk)
    for secret in (sign_in.token(), LINK, "shares/", NEW.name, "session-"):
        assert secret not in said
    assert "open the workbook" in said


def test_what_is_sent_is_what_the_pages_say(tmp_path: Path) -> None:
    sent: dict[str, object] = {}
    graph = PracticeGraph(book(table=True))

    def note(request: httpx.Request) -> None:
        if request.content:
            sent[request.url.path.rsplit("/", 1)[-1]] = json.loads(request.content)

    graph.meanwhile = note
    the_list(graph, tmp_path).add(NEW)

    assert sent["createSession"] == {"persistChanges": True}
    assert sent["add"] == {
        "index": 0,
        "values": [[NEW.name, "'+1 555 0199", 46349, 1234.5, 7, "'Too expensive, =sum(1)"]],
    }
