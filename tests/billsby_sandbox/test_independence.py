from __future__ import annotations

import re
from pathlib import Path

import billsby_sandbox


def test_the_practice_billsby_knows_nothing_of_the_desk():
    root = Path(billsby_sandbox.__file__).parent
    sources = list(root.rglob("*.py"))
    assert len(sources) > 20
    for source in sources:
        imports = re.findall(r"^\s*(?:from|import)\s+(\w+)", source.read_text(), re.MULTILINE)
        assert "canceldesk" not in imports
        assert "django" not in imports
