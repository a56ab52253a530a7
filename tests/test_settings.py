"""Django's settings as they come out of the environment, in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def test_the_data_folder_is_there_even_when_neither_database_nor_key_need_it(
    tmp_path: Path,
) -> None:
    data = tmp_path / "not" / "yet"

    subprocess.run(
        [sys.executable, "-c", "import canceldesk.settings"],
        env=os.environ
        | {
            "CANCELDESK_DATA": str(data),
            "CANCELDESK_DATABASE_URL": "postgresql://desk@db.example.com/desk",
            "CANCELDESK_SECRET_KEY": "only-for-tests",
        },
        check=True,
    )

    assert data.is_dir()
