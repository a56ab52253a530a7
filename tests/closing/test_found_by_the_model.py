"""Stories that the model (tests/model) found to end badly, told plainly."""

from __future__ import annotations

import dataclasses

from canceldesk.cases.models import Finding, State
from canceldesk.closing import services
from canceldesk.closing.models import Intent
from tests.closing.conftest import Desk


def test_a_row_that_a_person_repeats_without_its_number_is_on_the_list_twice(desk: Desk) -> None:
    desk.the_list.has_reference = True
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    repeated = dataclasses.replace(desk.the_list.rows[0], reference="")
    desk.the_list.rows.append(repeated)
    desk.company.panel_suspend(subscription.uid)
    desk.settle(case)
    assert case.state == State.CLOSING
    assert "more than once: rows 4 and 5" in case.attention
    desk.the_list.rows.remove(repeated)
    desk.settle(case)
    assert case.state == State.CLOSED
    desk.the_list.rows.append(repeated)
    desk.later(hours=12)
    desk.advance(case)
    assert Finding.objects.get(resolved_at=None).kind == Finding.Kind.ROW_TWICE


def test_a_row_that_leaves_leaves_no_copy_without_its_number_behind(desk: Desk) -> None:
    desk.the_list.has_reference = True
    _, subscription = desk.client()
    case = desk.decided(subscription)
    desk.advance(case)
    desk.the_list.rows.append(dataclasses.replace(desk.the_list.rows[0], reference=""))
    services.take_back(case, by=desk.manager, why="They stay")
    desk.advance(case)
    assert "more than once: rows 4 and 5" in case.attention
    del desk.the_list.rows[1]
    desk.advance(case)
    assert not desk.the_list.rows
    assert Intent.objects.get().state == Intent.State.REMOVED
