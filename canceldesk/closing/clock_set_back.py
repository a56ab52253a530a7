"""After a machine's clock was set back: what was written down by the wrong clock lies in a future
that does not come so soon, and nobody is to wait for it.
"""

from __future__ import annotations

import datetime as dt

import structlog
from django.db import transaction

from canceldesk import clock
from canceldesk.cases import waking
from canceldesk.cases.models import LogEntry
from canceldesk.closing import watching
from canceldesk.closing.models import Hold, Intent, Watch
from canceldesk.configuration import services as configuration

logger = structlog.get_logger(__name__)

# Less than this is how clocks differ, and not worth a pass over every open case.
TOLERATED = dt.timedelta(seconds=30)
LOOKED_AT = 1000


def was_before() -> bool:
    """Whether one of the newest entries of the log is from the future: the clock was set back while
    no worker looked, or that of another machine was.
    """
    return newest_from_ahead() > 0


def newest_from_ahead() -> int:
    """The number of the newest entry that is from the future, of the log's newest; 0 for none."""
    newest = LogEntry.objects.order_by("-pk").values_list("pk", "at")[:LOOKED_AT]
    latest = clock.now() + TOLERATED
    return next((number for number, at in newest if at > latest), 0)


def put_right() -> int:
    """Have every case looked at now that is not merely watched, or watched only at a time that no
    watch ever plans; count the waits of what was sent or lifted from now on; go on with watches
    that were ended by the wrong clock. Gives how many cases were waiting.
    """
    now = clock.now()
    latest_release = now + dt.timedelta(minutes=configuration.whole("RELEASE_MINUTES"))
    # Each for itself: a pass locks the case before what belongs to it, and none may wait for this.
    Intent.objects.filter(sent_at__gt=now).update(sent_at=now)
    Intent.objects.filter(confirmed_at__gt=now).update(confirmed_at=now)
    Hold.objects.filter(tried_at__gt=now).update(tried_at=now)
    Hold.objects.filter(release_until__gt=latest_release).update(release_until=latest_release)
    hurried = waking.hurry(now, watched_until=now + watching.EVERY)
    reopened = _go_on_watching(now)
    logger.warning("clock_set_back", cases=hurried, watches=reopened)
    return hurried


def _go_on_watching(now: dt.datetime) -> int:
    """A watch whose last look lies ahead may have ended before its time; how many did."""
    ended = Watch.objects.filter(checked_at__gt=now).exclude(result=Watch.Result.WATCHING)
    cases = list(ended.values_list("case", flat=True))
    for case_id in cases:
        with transaction.atomic():
            waking.wake(case_id)
            Watch.objects.filter(case=case_id).update(result=Watch.Result.WATCHING, checked_at=None)
    return len(cases)
