"""What the pages' tests share."""

from __future__ import annotations

from tests.closing.conftest import desk

__all__ = ["desk"]
