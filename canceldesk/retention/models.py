"""Attempts to keep a client."""

from __future__ import annotations

from django.db import models

from canceldesk.accounts.models import User
from canceldesk.cases.models import Case, Channel


class Attempt(models.Model):
    """One effort of a manager to keep the client: what was offered and what was answered."""

    class Offer(models.TextChoices):
        LISTENED = "listened", "Listened, no offer"
        PAUSE = "pause", "A pause"
        PLAN_CHANGE = "plan_change", "Another plan"
        DISCOUNT = "discount", "A discount or credit"
        BILL_DATE = "bill_date", "Another bill date"
        HELP = "help", "Help with the service"
        OTHER = "other", "Something else"

    class Answer(models.TextChoices):
        NO_ANSWER = "no_answer", "Not reached"
        THINKING = "thinking", "Thinking about it"
        ACCEPTED = "accepted", "Accepted"
        REFUSED = "refused", "Refused"

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="attempts")
    by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="attempts")
    at = models.DateTimeField()
    channel = models.CharField(max_length=16, choices=Channel.choices)
    offer = models.CharField(max_length=16, choices=Offer.choices)
    answer = models.CharField(max_length=16, choices=Answer.choices)
    note = models.TextField(blank=True)
    form_token = models.CharField(max_length=64, unique=True, null=True)  # noqa: DJ001 - many have none

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.get_offer_display()}: {self.get_answer_display()}"
