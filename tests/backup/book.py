"""Where stories are kept by name, and the folder in which the one that is told takes place."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Story = Callable[..., dict[str, Any]]
STORIES: dict[str, Story] = {}
WORK = Path(sys.argv[1])


def story(tell: Story) -> Story:
    """Keep a story under its own name."""
    STORIES[tell.__name__] = tell
    return tell
