"""The signals of waking are heard here as in the cases' own tests."""

from tests.cases.conftest import woken

__all__ = ["woken"]
