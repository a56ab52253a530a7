"""The four shapes of Billsby's calls: one object, a bare list, a list in pages, a write."""

from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import TypeVar

from .bodies import Unreadable, read_json, says_success
from .errors import Nonsense
from .exchange import Call, Exchange
from .paging import PAGE_SIZE, PagedList
from .replies import Reply, what_now
from .rows import PageRow, Row, read_row

R = TypeVar("R", bound=Row)


class Caller:
    """Makes calls and reads their replies as rows."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def one(
        self, path: str, kind: type[R], doing: str, query: Mapping[str, str] | None = None
    ) -> R:
        """Read one object.

        path: made by :func:`canceldesk.billsby.exchange.path_of`. doing: the call as the end of
        the sentence "Billsby could not ...".
        """
        call = Call(method="GET", path=path, doing=doing, query=query or {})
        reply = self._exchange.send(call)
        try:
            return read_row(kind, read_json(reply.body))
        except Unreadable as problem:
            raise nonsense(doing, str(problem), reply) from None

    def rows(self, path: str, kind: type[R], doing: str) -> list[R]:
        """Read a list that comes as a bare array."""
        call = Call(method="GET", path=path, doing=doing)
        reply = self._exchange.send(call)
        try:
            value = read_json(reply.body)
            if not isinstance(value, list):
                raise Unreadable("it is not a list")
            return [read_row(kind, row) for row in value]
        except Unreadable as problem:
            raise nonsense(doing, str(problem), reply) from None

    def pages(
        self,
        path: str,
        kind: type[R],
        doing: str,
        *,
        key: Callable[[R], Hashable],
        filters: Mapping[str, str | bool | None] | None = None,
    ) -> Iterator[R]:
        """Walk a list that comes in pages; filters that are ``None`` are not sent."""
        chosen = {
            name: str(value).lower() if isinstance(value, bool) else value
            for name, value in (filters or {}).items()
            if value is not None
        }

        def page(number: int) -> PageRow:
            place = {"page": str(number), "pageSize": str(PAGE_SIZE)}
            return self.one(path, PageRow, doing, place | chosen)

        rows = PagedList(page, lambda row: read_row(kind, row), key)
        try:
            yield from rows.walk()
        except Unreadable as problem:
            raise nonsense(doing, str(problem)) from None

    def write(self, call: Call, *, confirms: Callable[[bytes], bool] = says_success) -> None:
        """Make a call that changes something.

        confirms: whether the body of a 2xx reply says that it was done. When it does not,
        Nonsense is raised with ``maybe_done``.
        """
        reply = self._exchange.send(call)
        try:
            if confirms(reply.body):
                return
            problem = "it is not one of the ways in which Billsby says success"
        except Unreadable as unreadable:
            problem = str(unreadable)
        raise nonsense(call.doing, problem, reply, writes=True)


def nonsense(
    doing: str, problem: str, reply: Reply | None = None, *, writes: bool = False
) -> Nonsense:
    """Make the error for a reply that can't be believed. problem: a few words why."""
    return Nonsense(
        f"Asked to {doing}, Billsby gave a reply that can't be understood: {problem}. "
        f"{what_now(writes=writes)}",
        status=None if reply is None else reply.status,
        body="" if reply is None else reply.text,
        maybe_done=writes,
    )


def about_another(doing: str) -> Nonsense:
    """Make the error for a reply about someone or something else than asked."""
    return nonsense(doing, "it is about another one")
