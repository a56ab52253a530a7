"""The desk's copy of who pays and for what. Billsby is the truth; `read_at` says how old
the copy is.
"""

from __future__ import annotations

from django.db import models

from canceldesk.billsby.protocol import InvoiceStatus, SubscriptionStatus


class Client(models.Model):
    """Who pays; Billsby's customer."""

    billsby_id = models.CharField(max_length=64, unique=True)
    first_name = models.CharField(max_length=200, blank=True)
    last_name = models.CharField(max_length=200, blank=True)
    email = models.CharField(max_length=320, blank=True)
    phone = models.CharField(max_length=64, blank=True, help_text="As Billsby has it")
    phone_e164 = models.CharField(max_length=20, blank=True, db_index=True)
    phone_digits = models.CharField(max_length=64, blank=True)
    search_text = models.TextField(blank=True)
    since = models.DateTimeField(null=True)
    read_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True, help_text="When Billsby stopped listing the client")

    class Meta:
        ordering = ["last_name", "first_name", "billsby_id"]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """First and last name, or the e-mail address, or the Billsby ID: never empty."""
        return f"{self.first_name} {self.last_name}".strip() or self.email or self.billsby_id


class Subscription(models.Model):
    """One subscription of a client."""

    class Status(models.TextChoices):
        ACTIVE = SubscriptionStatus.ACTIVE.value, "Active"
        IN_TRIAL = SubscriptionStatus.IN_TRIAL.value, "In trial"
        PAUSED = SubscriptionStatus.PAUSED.value, "Paused"
        SUSPENDED = SubscriptionStatus.SUSPENDED.value, "Suspended"
        CANCELLED = SubscriptionStatus.CANCELLED.value, "Cancelled"
        UNKNOWN = SubscriptionStatus.UNKNOWN.value, "Unknown"

    client = models.ForeignKey(Client, on_delete=models.PROTECT, related_name="subscriptions")
    billsby_id = models.CharField(max_length=64, unique=True)
    plan_name = models.CharField(max_length=200, blank=True)
    product_name = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=16, choices=Status.choices)
    status_raw = models.CharField(max_length=64, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    started_at = models.DateTimeField(null=True)
    next_billing_at = models.DateTimeField(null=True)
    next_billing_minor = models.BigIntegerField(null=True)
    read_at = models.DateTimeField(help_text="When the status was read")
    details_read_at = models.DateTimeField(
        null=True, help_text="When amount, currency and next charge were read; lists lack them"
    )

    class Meta:
        ordering = ["client_id", "started_at", "billsby_id"]

    def __str__(self) -> str:
        return f"{self.plan_name or self.product_name or 'Subscription'} ({self.billsby_id})"

    @property
    def is_stopped(self) -> bool:
        """Whether Billsby last said Suspended or Cancelled."""
        return self.status in {self.Status.SUSPENDED, self.Status.CANCELLED}

    @property
    def is_live(self) -> bool:
        """Whether it can still be stopped."""
        return not self.is_stopped


class OpenInvoice(models.Model):
    """An invoice that still asks for money (pending, unpaid, to be written off, or in a
    status the desk does not know).
    """

    class Status(models.TextChoices):
        PENDING = InvoiceStatus.PENDING.value, "Pending"
        UNPAID = InvoiceStatus.UNPAID.value, "Unpaid"
        TO_BE_WRITTEN_OFF = InvoiceStatus.TO_BE_WRITTEN_OFF.value, "To be written off"
        UNKNOWN = InvoiceStatus.UNKNOWN.value, "Unknown"

    client = models.ForeignKey(Client, on_delete=models.CASCADE, related_name="open_invoices")
    number = models.CharField(max_length=80, unique=True)
    amount_minor = models.BigIntegerField()
    currency = models.CharField(max_length=3, blank=True)
    status = models.CharField(max_length=20, choices=Status.choices)
    status_raw = models.CharField(max_length=64, blank=True)
    issued_at = models.DateTimeField(null=True)
    read_at = models.DateTimeField()

    class Meta:
        ordering = ["client_id", "issued_at", "number"]

    def __str__(self) -> str:
        return self.number


class Refresh(models.Model):
    """One run that brought the whole copy up to date, or why it could not."""

    started_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    clients = models.PositiveIntegerField(default=0)
    problem = models.TextField(blank=True)

    class Meta:
        ordering = ["-started_at", "-id"]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"
