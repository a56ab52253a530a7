"""A desk with a practice Billsby and a list in memory."""

from __future__ import annotations

from tests.closing.conftest import desk

__all__ = ["desk"]
