"""Pairs as people write them in a setting: `name=Client; phone=Mobile no`."""

from __future__ import annotations

from collections.abc import Mapping


def pairs(written: str) -> dict[str, str]:
    """The pairs in their order; spaces around names and values do not count.

    Raises `ValueError` for a part without `=`, a pair without a name or a value, and a name that
    comes twice.
    """
    found: dict[str, str] = {}
    for part in written.split(";"):
        if not part.strip():
            continue
        name, value = pair(part)
        if name.casefold() in {known.casefold() for known in found}:
            raise ValueError(f"“{name}” comes twice")
        found[name] = value
    return found


def pair(written: str) -> tuple[str, str]:
    """One pair; raises `ValueError` where it is none."""
    name, equals, value = written.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise ValueError(f"“{written.strip()}” is not written as name=value")
    return name.strip(), value.strip()


def written(given: Mapping[str, str]) -> str:
    """Pairs as `pairs` reads them."""
    return "; ".join(f"{name}={value}" for name, value in given.items())
