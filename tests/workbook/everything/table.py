"""The whole table: all features, entered by the modules that check them."""

from __future__ import annotations

from typing import Final

from tests.workbook.everything import checksbook, checkscells, checkspackage, checksrules
from tests.workbook.everything.features import FEATURES

CHECKED_BY: Final = (checkscells, checksrules, checksbook, checkspackage)
ALL_FEATURES: Final = tuple(FEATURES)
