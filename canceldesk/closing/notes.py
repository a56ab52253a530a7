"""What the steps of a pass came to, kept for the page, and what else can wait a moment.

Notes are written along with whatever the pass writes next, and at its end: a transaction for each
would make every pass wait for the disk ten times more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from django.db import DataError, transaction

from canceldesk import clock
from canceldesk.cases import log
from canceldesk.cases.models import Case, LogEntry
from canceldesk.closing.models import Step
from canceldesk.closing.results import Done, NotNeeded, Result, Waits

logger = structlog.get_logger(__name__)

_KEPT = ["state", "sentence", "evidence", "changed_at"]


class Notes:
    """The notes about one case, as they stood when the pass began and as it has changed them."""

    def __init__(self, case: Case) -> None:
        self.has_gone_ahead = False
        """Whether something may have left the desk in this pass."""
        self._case = case
        self._known: dict[str, Step] | None = None
        self._changed: dict[str, Step] = {}
        self._along: list[Callable[[], object]] = []
        self._copies: dict[str, Callable[[], object]] = {}
        self._entries: list[LogEntry] | None = None

    def of(self, name: Step.Name) -> Step | None:
        """The newest note about a step, written or not."""
        if self._known is None:
            self._known = {step.name: step for step in Step.objects.filter(case=self._case)}
        return self._known.get(name)

    def put(self, name: Step.Name, result: Result | None) -> None:
        """Note what a step came to; None when it was not its turn."""
        state, sentence, evidence = _as_step(result)
        before = self.of(name)
        if before and (before.state, before.sentence, before.evidence) == (
            state,
            sentence,
            evidence,
        ):
            return
        is_news = before is None or (before.state, before.sentence) != (state, sentence)
        note = Step(
            case=self._case,
            name=name,
            state=state,
            sentence=sentence,
            evidence=evidence,
            changed_at=clock.now() if is_news or before is None else before.changed_at,
        )
        assert self._known is not None  # noqa: S101 - `of` has filled it
        self._known[name] = self._changed[name] = note

    def along(self, write: Callable[[], object]) -> None:
        """Have `write` called with the next writing of notes: for what the next pass would find and
        write as well if this one were to die before.
        """
        self._along.append(write)

    def copy(self, of: str, keep: Callable[[], object]) -> None:
        """Have `keep` store the desk's copy of something in Billsby with the next writing that
        takes copies along, unless it has been read once more until then: only the newest reading
        counts.
        """
        self._copies[of] = keep

    def log(self, entry: LogEntry) -> None:
        """Add an entry to the log with the writing under way: once, at its end, with all others."""
        if self._entries is None:
            raise RuntimeError(f"{entry.verb} is to be logged, but nothing is being written.")
        self._entries.append(entry)

    @property
    def are_new(self) -> bool:
        """Whether a step is to be written that pages show otherwise."""
        return bool(self._changed)

    @contextmanager
    def written(self, *, with_copies: bool = True) -> Iterator[None]:
        """Store what was changed, and what was to go along, before the block; use it inside the
        lease's fence, which says that it shows. When the block fails nothing of it is stored, and
        it goes with the next writing, as copies do where they are not to go with this one.
        """
        changed, along = self._changed, self._along
        copies = self._copies if with_copies else {}
        self._changed, self._along = {}, []
        self._copies = {} if with_copies else self._copies
        entries: list[LogEntry] = []
        self._entries = entries
        try:
            _store(changed)
            _store_copies(copies)
            for write in along:
                write()
            yield
            log.add(entries)
        except BaseException:
            self._changed = changed | self._changed
            self._copies = copies | self._copies
            self._along = along + self._along
            raise
        finally:
            self._entries = None


def _store(changed: dict[str, Step]) -> None:
    if changed:
        Step.objects.bulk_create(
            changed.values(),
            update_conflicts=True,
            unique_fields=["case", "name"],
            update_fields=_KEPT,
        )


def _store_copies(copies: dict[str, Callable[[], object]]) -> None:
    """Copies that cannot be stored keep a case from nothing: passes go by Billsby itself."""
    if not copies:
        return
    try:
        with transaction.atomic():
            for of in sorted(copies):  # as everybody locks them (`clients.mirror`)
                copies[of]()
    except (DataError, OverflowError, ValueError):
        logger.exception("copies_not_kept", of=sorted(copies))


def _as_step(result: Result | None) -> tuple[Step.State, str, dict[str, object]]:
    match result:
        case Done():
            return Step.State.DONE, result.sentence, dict(result.evidence)
        case NotNeeded():
            return Step.State.NOT_NEEDED, result.sentence, dict(result.evidence)
        case Waits():
            state = Step.State.UNKNOWN if result.is_unknown else Step.State.WAITING
            return state, result.sentence, dict(result.evidence)
        case _:
            return Step.State.TODO, "", {}
