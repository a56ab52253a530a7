"""Signs of life that chores give, and the watch for those that give none any more.

A refresh may take long, so how long it has been under way does not say whether its machine has
died; and as only one chore is done at a time, a dead one would keep all others waiting until its
time limit. So each counts its signs in its own row of the engine. No clock is compared: the watch
only looks whether the count stands still.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog

from canceldesk.engine.place import client
from canceldesk.engine.queueing import CHORES

logger = structlog.get_logger(__name__)

SIGN_SECONDS = 20.0
# At one a minute, the signs of a chore that lives have come in between several times.
LOOKS = 4


@contextmanager
def giving(chore: str) -> Iterator[None]:
    """Give signs of life of a chore for as long as the block runs. A thread of their own does it:
    a chore that waits long for one answer lives, too.
    """
    over = threading.Event()
    thread = threading.Thread(target=_give, args=(chore, over), name="signs", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _give(chore: str, over: threading.Event) -> None:
    number = 0
    while True:
        try:
            client().update_workflow_attributes(chore, {"signs": number})
        except Exception as problem:
            # Who looks on cannot reach the engine's database either, or sees the next sign.
            logger.warning("no_sign_given", chore=chore, problem=str(problem))
        if over.wait(SIGN_SECONDS):
            return
        number += 1


class ChoreWatch:
    """Lets go of chores that have stopped giving signs of life, wherever they were under way. One
    that only slept may go on when it wakes, beside the one that is made anew: both keep what
    Billsby says, and either may come last.
    """

    def __init__(self) -> None:
        self._seen: dict[str, tuple[dict[str, Any], int]] = {}

    def let_go_of_silent(self) -> int:
        """Look at what is under way, and let go of what has shown the same sign at several looks in
        a row; gives how many. To be asked once a minute.

        What has never given one is left to its time limit: workers of an older version give none.
        """
        under_way = client().list_workflows(
            status="PENDING", queue_name=CHORES, load_input=False, load_output=False
        )
        before, self._seen = self._seen, {}
        for one in under_way:
            if one.attributes:
                sign, looks = before.get(one.workflow_id, (one.attributes, 0))
                looks = looks + 1 if sign == one.attributes else 1
                self._seen[one.workflow_id] = (one.attributes, looks)
        silent = [chore for chore, (_, looks) in self._seen.items() if looks >= LOOKS]
        if silent:
            client().cancel_workflows(silent)
            logger.warning("let_go_of_silent", chores=silent)
        return len(silent)
