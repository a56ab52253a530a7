"""The form a request is filed with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils import timezone

from canceldesk import clock
from canceldesk.cases.models import Channel, Reason, Wish
from canceldesk.clients.models import Client, Subscription

LONGEST_WORDS = 4000
OLDEST = dt.timedelta(days=366)


class CompanyTimeField(forms.Field):
    """A date and time in the company's zone, "" for none. Of an hour that happens twice when
    clocks go back the first counts, because every clock starts at it.
    """

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def to_python(self, value: Any) -> dt.datetime | None:  # noqa: ANN401 - Django's signature
        """Read what a browser's date and time field sends."""
        if not value:
            return None
        try:
            local = dt.datetime.fromisoformat(str(value))
            aware = timezone.make_aware(local) if timezone.is_naive(local) else local
            return aware.astimezone(dt.UTC)
        except (ValueError, OverflowError):
            raise forms.ValidationError(
                "Write a date and a time, for example 2026-11-20T15:30, or leave it empty."
            ) from None


class RequestForm(forms.Form):
    """What a client wants, in the order in which it comes up on the phone.

    `chosen` are the subscriptions to begin with. Whether one may be stopped is for the service
    to say, so that the same form posted twice is the same request.
    """

    form_token = forms.CharField(max_length=64, widget=forms.HiddenInput)
    subscriptions = forms.ModelMultipleChoiceField(
        queryset=Subscription.objects.none(),
        error_messages={
            "required": "Choose what should stop.",
            "invalid_choice": "A chosen subscription belongs to another client. Choose again.",
        },
    )
    reason = forms.ModelChoiceField(
        queryset=Reason.objects.none(),
        error_messages={
            "required": "Choose a reason.",
            "invalid_choice": "This reason is no longer offered. Choose another.",
        },
    )
    reason_words = forms.CharField(
        label="In the client's own words",
        max_length=LONGEST_WORDS,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"max_length": "Shorten this to 4,000 characters."},
    )
    wish = forms.ChoiceField(
        choices=Wish.choices, error_messages={"required": "Choose what the client wants."}
    )
    channel = forms.ChoiceField(
        choices=Channel.choices, error_messages={"required": "Choose how the client asked."}
    )
    received_at = CompanyTimeField(
        label="Received at",
        required=False,
        help_text="Leave it empty for just now. Yesterday's voicemail: when it was left.",
    )
    note = forms.CharField(
        label="Note",
        max_length=LONGEST_WORDS,
        required=False,
        help_text="Anything else that was said; it becomes the first message of the case.",
        widget=forms.Textarea(attrs={"rows": 2}),
        error_messages={"max_length": "Shorten this to 4,000 characters."},
    )

    def __init__(
        self,
        client: Client,
        data: Mapping[str, Any] | None = None,
        *,
        chosen: Iterable[Subscription] = (),
        form_token: str = "",
    ) -> None:
        super().__init__(
            data,
            initial={
                "form_token": form_token,
                "subscriptions": [one.pk for one in chosen],
                "wish": Wish.SUSPEND,
                "channel": Channel.CALL,
            },
        )
        subscriptions = self.fields["subscriptions"]
        assert isinstance(subscriptions, forms.ModelMultipleChoiceField)  # noqa: S101
        subscriptions.queryset = client.subscriptions.all()
        reason = self.fields["reason"]
        assert isinstance(reason, forms.ModelChoiceField)  # noqa: S101 - for the type checker
        reason.queryset = Reason.objects.filter(is_offered=True)

    def clean_received_at(self) -> dt.datetime | None:
        """Nobody can have asked tomorrow, and a year ago is a slip of the keyboard."""
        at: dt.datetime | None = self.cleaned_data["received_at"]
        if at is not None and at > clock.now():
            raise forms.ValidationError("This is in the future. Check the date and the time.")
        if at is not None and at < clock.now() - OLDEST:
            raise forms.ValidationError("This is more than a year ago. Check the date.")
        return at

    def is_chosen(self, field: str, value: object) -> bool:
        """Whether an option is to be drawn as chosen."""
        chosen = self[field].value()
        options = chosen if isinstance(chosen, list | tuple) else [chosen]
        return str(value) in {str(option) for option in options}
