from __future__ import annotations

import datetime as dt
from itertools import pairwise

from canceldesk.demo import former
from tests.demo.conftest import Town

TODAY = dt.date(2026, 11, 23)


def test_the_sample_lists_forty_clients_the_newest_on_top(town: Town) -> None:
    rows = former.rows(town.billsby, TODAY)

    assert len(rows) == 40
    assert all(above.cancelled_on >= below.cancelled_on for above, below in pairwise(rows))
    assert all(row.cancelled_on < TODAY for row in rows)


def test_everybody_billsby_has_stopped_is_on_it(town: Town) -> None:
    rows = former.rows(town.billsby, TODAY)

    stopped = {s.customer_id for s in town.billsby.subscriptions() if s.status.is_stopped}
    names = {town.billsby.customer(one).name for one in stopped}
    assert len(names) > 5
    assert names <= {row.name for row in rows}


def test_the_sample_is_the_same_every_time(town: Town) -> None:
    assert former.rows(town.billsby, TODAY) == former.rows(town.billsby, TODAY)


def test_invented_phone_numbers_are_of_the_range_kept_for_fiction(town: Town) -> None:
    rows = former.rows(town.billsby, TODAY)

    assert all("555" in row.phone for row in rows)
