"""The case and what belongs to it."""

from __future__ import annotations

import re
from typing import Any, Final, NoReturn

from django.db import models
from django.db.models import Q

from canceldesk import clock
from canceldesk.accounts.models import User
from canceldesk.clients.models import Client, Subscription


class State(models.TextChoices):
    """Where a case stands. Needs attention is a flag beside it, not a state."""

    NEW = "new", "New"
    RETENTION = "retention", "Retention"
    CLOSING = "closing", "Closing"
    CLOSED = "closed", "Closed"
    RETAINED = "retained", "Retained"
    WITHDRAWN = "withdrawn", "Withdrawn"


OPEN_STATES = (State.NEW, State.RETENTION, State.CLOSING)
UNDECIDED_STATES = (State.NEW, State.RETENTION)


class Wish(models.TextChoices):
    """What the client asked."""

    SUSPEND = "suspend", "Stop for now (suspend)"
    CANCEL = "cancel", "Stop for good (cancel)"
    UNSURE = "unsure", "Not sure yet"


class Decision(models.TextChoices):
    """A manager's word."""

    RETAINED = "retained", "Retained"
    SUSPEND = "suspend", "Suspend"
    CANCEL = "cancel", "Cancel for good"


class Channel(models.TextChoices):
    """How a message travels."""

    CALL = "call", "Call"
    TEXT = "text", "Text"
    EMAIL = "email", "E-mail"


class WaitsFor(models.TextChoices):
    """What the desk waits for before it can go on with a case."""

    NOTHING = "nothing", "Nothing"
    TIME = "time", "A time"
    PERSON = "person", "A person"
    OUTSIDE = "outside", "An outside change"


NUMBER: Final = re.compile(r"C-(\d{1,12})", re.ASCII | re.IGNORECASE)
"""What `Case.number` looks like; the digits are the primary key."""


class Reason(models.Model):
    """Why a client leaves. Renaming changes the label; what it means stays with its key, so
    a different reason is a new record and history stays true.
    """

    key = models.SlugField(max_length=40, unique=True)
    label = models.CharField(max_length=80)
    position = models.PositiveSmallIntegerField(default=0)
    is_offered = models.BooleanField(default=True)

    class Meta:
        ordering = ["position", "label"]

    def __str__(self) -> str:
        return self.label


class Case(models.Model):
    """The handling of one client's wish to stop one or more subscriptions.

    Everything that changes one is in `cases.services` and the rooms above it; state changes
    are compare-and-set. `lease_*` let one pass at a time work on it (`cases.lease`);
    `next_pass_at` says when the next pass is due, `wake_count` that something happened since.
    """

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="cases")
    state = models.CharField(max_length=16, choices=State.choices, default=State.NEW)
    wish = models.CharField(max_length=16, choices=Wish.choices)
    channel = models.CharField(max_length=16, choices=Channel.choices)
    reason = models.ForeignKey(Reason, on_delete=models.PROTECT, related_name="cases")
    reason_words = models.TextField(blank=True, help_text="The client's own words")
    received_at = models.DateTimeField(help_text="When the client asked: every clock starts here")
    filed_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="filed_cases")
    filed_at = models.DateTimeField()
    form_token = models.CharField(  # noqa: DJ001 - many have none, and those are not equal
        max_length=64, unique=True, null=True, help_text="Makes posting a form twice one case"
    )

    decision = models.CharField(max_length=16, choices=Decision.choices, blank=True)
    decided_by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, related_name="decided_cases"
    )
    decided_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(null=True, help_text="Closed, retained or withdrawn")
    withdrawn_because = models.CharField(max_length=200, blank=True)

    open_at_first = models.JSONField(
        null=True, help_text="Numbers of the invoices that asked for money when first looked at"
    )
    next_charge_at = models.DateTimeField(null=True, db_index=True)
    next_charge_minor = models.BigIntegerField(null=True)
    currency = models.CharField(max_length=3, blank=True)

    waits_for = models.CharField(max_length=16, choices=WaitsFor.choices, default=WaitsFor.NOTHING)
    waits_sentence = models.TextField(blank=True)
    attention = models.TextField(blank=True, help_text="Why a person must look, in one sentence")
    attention_since = models.DateTimeField(null=True)

    next_pass_at = models.DateTimeField(null=True)
    wake_count = models.PositiveBigIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0, help_text="Passes in a row that failed")
    lease_owner = models.CharField(max_length=80, blank=True)
    lease_token = models.PositiveBigIntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    version = models.PositiveBigIntegerField(default=0, help_text="Grows when a page would change")

    class Meta:
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["next_pass_at"], name="case_due", condition=Q(next_pass_at__isnull=False)
            ),
            models.Index(
                fields=["lease_owner"], name="case_leased", condition=Q(lease_until__isnull=False)
            ),
            models.Index(
                fields=["attention_since"],
                name="case_flagged",
                condition=Q(attention_since__isnull=False),
            ),
            models.Index(fields=["state", "next_charge_at"], name="case_queue"),
            models.Index(fields=["client", "state"], name="case_of_client"),
        ]
        constraints = [
            models.CheckConstraint(
                name="case_decided_by_somebody",
                condition=Q(decision="")
                | (Q(decided_by__isnull=False) & Q(decided_at__isnull=False)),
            ),
            models.CheckConstraint(
                name="case_closing_needs_a_decision_to_stop",
                condition=~Q(state__in=["closing", "closed"])
                | Q(decision__in=["suspend", "cancel"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.client}"

    @property
    def number(self) -> str:
        """What people call the case, for example C-00042."""
        return f"C-{self.pk:05d}"

    @property
    def is_open(self) -> bool:
        """Whether somebody or the desk still has to bring it to an end."""
        return self.state in OPEN_STATES


class CaseSubscription(models.Model):
    """A subscription in a case's scope. `is_open` mirrors the case, so that the database
    itself keeps a subscription in at most one open case.
    """

    case = models.ForeignKey(Case, on_delete=models.CASCADE, related_name="scope")
    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="scopes")
    is_open = models.BooleanField(default=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["subscription"], condition=Q(is_open=True), name="one_open_case_each"
            ),
            models.UniqueConstraint(fields=["case", "subscription"], name="once_in_a_scope"),
        ]

    def __str__(self) -> str:
        return f"{self.subscription} in {self.case_id}"


class Message(models.Model):
    """One inbound or outbound call note, text or e-mail."""

    class Direction(models.TextChoices):
        IN = "in", "From the client"
        OUT = "out", "To the client"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="messages")
    direction = models.CharField(max_length=4, choices=Direction.choices)
    channel = models.CharField(max_length=16, choices=Channel.choices)
    body = models.TextField()
    at = models.DateTimeField()
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    form_token = models.CharField(  # noqa: DJ001 - many have none, and those are not equal
        max_length=64, unique=True, null=True, help_text="Makes posting a form twice one message"
    )

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.get_direction_display()} {self.at:%Y-%m-%d %H:%M}"


class Finding(models.Model):
    """Something a check found that is wrong. Resolved when a later check no longer finds it;
    settled when a manager has set aside what no check will see put right.
    """

    class Kind(models.TextChoices):
        CHARGED_AFTER_REQUEST = "charged_after_request", "Charged after the request"
        STILL_BILLING = "still_billing", "On the list but still billing"
        SWITCHED_BACK_ON = "switched_back_on", "Switched back on"
        NOT_LISTED = "not_listed", "Stopped but not on the list"
        ROW_CHANGED = "row_changed", "Row missing or changed"
        ROW_TWICE = "row_twice", "On the list twice"
        OPEN_INVOICE = "open_invoice", "An invoice asks for money again"
        CANCELLED_INSTEAD = "cancelled_instead", "Cancelled instead of suspended"
        SAVE_LOST = "save_lost", "Left after being retained"

    kind = models.CharField(max_length=32, choices=Kind.choices)
    key = models.CharField(max_length=160, help_text="What it is about, so that it is found once")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, related_name="findings")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, null=True, related_name="findings")
    sentence = models.TextField()
    data = models.JSONField(default=dict)
    found_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(
        null=True, help_text="When a manager set it aside, although it stands"
    )

    class Meta:
        ordering = ["-found_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key"], condition=Q(resolved_at=None), name="a_finding_stands_once"
            )
        ]

    def __str__(self) -> str:
        return self.sentence

    @property
    def stands(self) -> bool:
        """Whether it is neither put right nor settled."""
        return self.resolved_at is None and self.settled_at is None


class AppendOnlyError(Exception):
    """Somebody tried to change or remove a log entry."""


class LogEntry(models.Model):
    """Who did what, when, and what Billsby or the workbook answered. Only ever added: the
    model refuses changes, and triggers in the database refuse them too.
    """

    at = models.DateTimeField(default=clock.now)
    verb = models.CharField(max_length=64)
    by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, related_name="log")
    client = models.ForeignKey(Client, on_delete=models.PROTECT, null=True, related_name="log")
    data = models.JSONField(default=dict)

    class Meta:
        ordering = ["id"]
        verbose_name_plural = "log entries"

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.verb}"

    def save(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - Django's own signature
        """Add the entry; AppendOnlyError for one that is there already."""
        if self.pk is not None:
            raise AppendOnlyError("The log is append-only.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> NoReturn:  # noqa: ANN401
        """Always AppendOnlyError."""
        raise AppendOnlyError("The log is append-only.")
