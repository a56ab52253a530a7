"""What the desk knows and has done about stopping a client's service."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import models
from django.db.models import Q

from canceldesk import clock
from canceldesk.accounts.models import User
from canceldesk.cases.models import Case, CaseSubscription

# How long what was sent may take to show before it is sent again.
SETTLES_IN = dt.timedelta(seconds=60)


def moment_of(renewal: dt.date) -> dt.datetime:
    """When a renewal date begins: Billsby keeps dates in UTC (billsby.md 3), so where the company
    is it may still be the day before.
    """
    return dt.datetime.combine(renewal, dt.time(), dt.UTC)


class Facts(models.Model):
    """What is written on the list, taken before anything is written anywhere: a write-off
    zeroes an invoice, and a hold moves the next charge. Never changed afterwards.
    """

    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="facts")
    name = models.CharField(max_length=400)
    phone = models.CharField(max_length=64, blank=True)
    cancelled_on = models.DateField()
    collected_minor = models.BigIntegerField()
    billsby_total_minor = models.BigIntegerField(
        null=True, help_text="Billsby's own total; a difference is shown, not hidden"
    )
    currency = models.CharField(max_length=3)
    months = models.PositiveIntegerField()
    started_on = models.DateField()
    reason = models.TextField()
    plan = models.CharField(max_length=400, blank=True)
    next_charge_at = models.DateTimeField(null=True)
    owed_minor = models.BigIntegerField(default=0)
    taken_at = models.DateTimeField()
    evidence = models.JSONField(default=dict)

    def __str__(self) -> str:
        return f"Facts of {self.case_id}"


class Hold(models.Model):
    """A pause of one subscription through the API. The renewal date it replaced is kept."""

    class State(models.TextChoices):
        INTENDED = "intended", "About to be placed"
        HELD = "held", "Held"
        RELEASING = "releasing", "About to be lifted for a click"
        RELEASED = "released", "Lifted for a click"
        RETURNED = "returned", "Given back"
        OVER = "over", "No longer needed"

    scope = models.OneToOneField(CaseSubscription, on_delete=models.PROTECT, related_name="hold")
    state = models.CharField(max_length=16, choices=State.choices, default=State.INTENDED)
    original_status = models.CharField(max_length=16)
    original_next_billing_at = models.DateTimeField(null=True)
    until = models.DateField()
    tried_until = models.DateField(null=True, help_text="Sent to Billsby, not yet read back")
    tried_at = models.DateTimeField(null=True, help_text="When that was sent")
    placed_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField(null=True)
    release_until = models.DateTimeField(null=True, help_text="When a lifted pause is put back")
    evidence = models.JSONField(default=dict)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="a_released_hold_has_an_end",
                condition=~Q(state__in=["releasing", "released"]) | Q(release_until__isnull=False),
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_state_display()} until {self.until}"

    @property
    def may_still_arrive(self) -> bool:
        """Whether a date that nobody has read back was sent so short ago that it may yet come."""
        return (
            self.tried_until is not None
            and self.tried_at is not None
            and clock.now() - self.tried_at < SETTLES_IN
        )

    @property
    def ends_at(self) -> dt.datetime:
        """The moment the held charge would come."""
        return moment_of(self.until)


class Step(models.Model):
    """One step of a closing and the evidence for its tick."""

    class Name(models.TextChoices):
        FACTS = "facts", "Facts taken"
        HOLD = "hold", "Billing held"
        DOCUMENT = "document", "On the list"
        CLEAR = "clear", "Invoices cleared"
        STOP = "stop", "Service stopped"
        VERIFY = "verify", "Both halves read back"
        CONFIRM = "confirm", "Client told"

    class State(models.TextChoices):
        TODO = "todo", "To do"
        WAITING = "waiting", "Waiting"
        DONE = "done", "Done"
        NOT_NEEDED = "not_needed", "Not needed"
        UNKNOWN = "unknown", "Not known"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="steps")
    name = models.CharField(max_length=16, choices=Name.choices)
    state = models.CharField(max_length=16, choices=State.choices, default=State.TODO)
    sentence = models.TextField(blank=True)
    evidence = models.JSONField(default=dict)
    changed_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["case", "name"], name="one_step_of_each_name")
        ]

    def __str__(self) -> str:
        return f"{self.get_name_display()}: {self.get_state_display()}"


class WriteOffApproval(models.Model):
    """A person's word that one invoice may be written off, up to the amount they saw. It is used up
    when the invoice is read back as written off, by whatever case of the client.
    """

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="write_off_approvals")
    invoice_number = models.CharField(max_length=80)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, help_text="When it was used up")

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.invoice_number


class Intent(models.Model):
    """What the desk is about to do outside, recorded before it does it, and what came of it."""

    ROW = "row"  # the target of a row's intent

    class Kind(models.TextChoices):
        ROW = "row", "Row on the list"
        WRITE_OFF = "write_off", "Write-off"
        CANCEL = "cancel", "Cancellation"
        CONFIRM = "confirm", "Message to the client"

    class State(models.TextChoices):
        INTENDED = "intended", "About to"
        SENT = "sent", "Sent, not yet read back"
        CONFIRMED = "confirmed", "Read back"
        REFUSED = "refused", "Refused"
        # Of rows alone: a person wants it off the list again. `LEAVING` when it is not certain
        # whether it is there.
        UNWANTED = "unwanted", "To be taken out"
        LEAVING = "leaving", "Being taken out"
        REMOVED = "removed", "Taken out, read back"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="intents")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    target = models.CharField(max_length=120)
    state = models.CharField(max_length=16, choices=State.choices, default=State.INTENDED)
    request = models.JSONField(default=dict)
    answer = models.JSONField(default=dict)
    sent_at = models.DateTimeField(null=True)
    confirmed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    likeness = models.CharField(
        max_length=64,
        blank=True,
        db_index=True,
        help_text="Hash of a row's values: equal rows, equal hash",
    )

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["case", "kind", "target"], name="one_intent_each"),
            # Two cases whose rows look the same take turns, writing or taking out, so that after
            # a crash it is certain whose row is on the list.
            models.UniqueConstraint(
                fields=["likeness"],
                condition=Q(kind="row", state__in=["intended", "sent", "leaving"]),
                name="equal_rows_take_turns",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.target}: {self.get_state_display()}"

    @property
    def is_settling(self) -> bool:
        """Whether it was sent so short ago that it may not show yet, and must not be repeated."""
        return (
            self.state in {self.State.SENT, self.State.LEAVING}
            and self.sent_at is not None
            and clock.now() - self.sent_at < SETTLES_IN
        )

    @property
    def may_not_show_yet(self) -> bool:
        """Whether it was sent, or read back, so short ago that answers may be from before it."""
        since = {self.State.SENT: self.sent_at, self.State.CONFIRMED: self.confirmed_at}
        at = since.get(self.State(self.state))
        return at is not None and clock.now() - at < SETTLES_IN

    @property
    def is_to_leave(self) -> bool:
        """Whether a row is to be taken out of the list and has not been read back as gone."""
        return self.state in {self.State.UNWANTED, self.State.LEAVING}

    @property
    def may_still_arrive(self) -> bool:
        """Whether a row that nobody has read back was sent so short ago that it may yet come."""
        return (
            self.confirmed_at is None
            and self.sent_at is not None
            and clock.now() - self.sent_at < SETTLES_IN
        )

    def mark_sent(self, **known: str) -> None:
        """About to leave the desk now; `known` is what it is about to be done to."""
        self.state, self.sent_at, self.answer = self.State.SENT, clock.now(), known
        is_new = self._state.adding
        self.save(update_fields=None if is_new else ["state", "sent_at", "answer", "request"])

    def mark_refused(self, why: str) -> None:
        """Answered with a no."""
        self.state, self.answer = self.State.REFUSED, {"why": why}
        self.save(update_fields=["state", "answer"])

    def mark_leaving(self, answer: dict[str, Any]) -> None:
        """About to be taken out; `answer` is where it was read."""
        self.state, self.sent_at, self.answer = self.State.LEAVING, clock.now(), answer
        self.save(update_fields=["state", "sent_at", "answer"])

    def mark_removed(self, answer: dict[str, Any]) -> None:
        """Read back as gone; `answer` is what was read."""
        self.state, self.confirmed_at, self.answer = self.State.REMOVED, clock.now(), answer
        self.save(update_fields=["state", "confirmed_at", "answer"])

    def confirm(self, answer: dict[str, Any]) -> None:
        """Read back; `answer` is what was read. `keep_confirmed` stores it."""
        self.state, self.confirmed_at, self.answer = self.State.CONFIRMED, clock.now(), answer

    def keep_confirmed(self) -> None:
        """Store what `confirm` has said."""
        self.save(update_fields=["state", "confirmed_at", "answer"])


class Watch(models.Model):
    """The checks after a case has ended: nothing charged, nothing switched back on."""

    class Result(models.TextChoices):
        WATCHING = "watching", "Watching"
        CLEAN = "clean", "Nothing happened"
        WRONG = "wrong", "Something was found"

    case = models.OneToOneField(Case, on_delete=models.PROTECT, related_name="watch")
    started_at = models.DateTimeField()
    billing_dates = models.JSONField(default=list, help_text="Dates a charge would have come")
    ends_at = models.DateTimeField(null=True, help_text="Empty: as long as the hold is the stop")
    checked_at = models.DateTimeField(null=True)
    checks = models.PositiveIntegerField(default=0)
    result = models.CharField(max_length=16, choices=Result.choices, default=Result.WATCHING)

    class Meta:
        verbose_name_plural = "watches"

    def __str__(self) -> str:
        return f"Watch of {self.case_id}: {self.get_result_display()}"
