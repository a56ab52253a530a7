"""What can go wrong when talking to Billsby, in classes a caller can act on.

``str(error)`` is always one plain sentence that says what happened and what to do now. The API
key is in none of them: :mod:`canceldesk.billsby.exchange` takes it out of everything Billsby says.
"""


class BillsbyError(Exception):
    """A call to Billsby did not give what was asked for.

    sentence: what happened and what to do now, for a person.
    status: the HTTP status of the reply, ``None`` when there was none.
    body: what Billsby said, shortened, kept as evidence; empty when it said nothing.
    """

    maybe_done = False
    """True when a write may have happened although no clear answer came: read back, then decide."""

    def __init__(self, sentence: str, *, status: int | None = None, body: str = "") -> None:
        super().__init__(sentence)
        self.status = status
        self.body = body


class Refused(BillsbyError):
    """Billsby understood and said no, or the call was senseless and never sent."""


class NotFound(BillsbyError):
    """Billsby knows nothing under this ID."""


class NotAuthorised(BillsbyError):
    """The API key is wrong, or not good for this company."""


class Blocked(BillsbyError):
    """Refused because of the client's invoices or the state of the subscription."""


class Busy(BillsbyError):
    """Billsby, or the desk's own limit on calls, asks to come back later.

    retry_after: seconds to wait before the next try, ``None`` when nobody said.
    """

    def __init__(
        self,
        sentence: str,
        *,
        status: int | None = None,
        body: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(sentence, status=status, body=body)
        self.retry_after = retry_after


class Unreachable(BillsbyError):
    """No answer, or Billsby is out of order (5xx). See ``maybe_done`` for writes."""

    def __init__(
        self,
        sentence: str,
        *,
        status: int | None = None,
        body: str = "",
        maybe_done: bool = False,
    ) -> None:
        super().__init__(sentence, status=status, body=body)
        self.maybe_done = maybe_done


class Nonsense(BillsbyError):
    """A reply that can't be understood or is about something else; see ``maybe_done``."""

    def __init__(
        self,
        sentence: str,
        *,
        status: int | None = None,
        body: str = "",
        maybe_done: bool = False,
    ) -> None:
        super().__init__(sentence, status=status, body=body)
        self.maybe_done = maybe_done


class WebhookForged(Exception):
    """The ``Secret`` header is missing or wrong: this did not come from Billsby."""


class WebhookUnreadable(Exception):
    """The secret is right but the message is not one Billsby documents."""
