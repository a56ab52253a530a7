"""Pairs as people write them in a setting."""

from __future__ import annotations

import pytest

from canceldesk.workbook.rows.pairs import pairs, written


@pytest.mark.parametrize(
    ("setting", "meant"),
    [
        ("", {}),
        ("   ;  ;", {}),
        ("name=Client", {"name": "Client"}),
        (" name = Client ;phone=Mobile no;", {"name": "Client", "phone": "Mobile no"}),
        ("reason=Why = really", {"reason": "Why = really"}),
    ],
)
def test_pairs_are_read_and_written_again(setting, meant):
    assert pairs(setting) == meant
    assert pairs(written(meant)) == meant


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("name", "“name” is not written as name=value"),
        ("name=", "not written as"),
        ("=Client", "not written as"),
        ("a=b; A = c", "“A” comes twice"),
    ],
)
def test_what_is_no_pair_is_named(setting, said):
    with pytest.raises(ValueError, match=said):
        pairs(setting)
