"""What the quick tests of the chaos's makers share: a clean run to plant wrongs in, and a stage."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.chaos.planting import Planted
from tests.chaos.staging import stage
from tests.closing.conftest import desk

__all__ = ["desk", "stage"]


def told_by_a_process(folder: Path, url: str = "") -> None:
    """Let the clean run happen in a process of its own, because it has a database of its own."""
    command = [sys.executable, "-m", "tests.chaos.clean_run", str(folder), *([url] if url else [])]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr


@pytest.fixture(scope="session")
def clean_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a clean run, told once."""
    folder = tmp_path_factory.mktemp("clean-run")
    told_by_a_process(folder)
    return folder


@pytest.fixture
def planted(clean_run: Path, tmp_path: Path) -> Planted:
    """A copy of the clean run to plant something in."""
    folder = tmp_path / "run"
    shutil.copytree(clean_run, folder)
    return Planted(folder)
