"""What people type on a case's page. Only the shape is checked here; what may be done, and
whether it makes sense now, the services say.
"""

from __future__ import annotations

import re
import uuid
from functools import cached_property
from typing import Any

from django import forms

from canceldesk.accounts.models import User
from canceldesk.cases import filed_twice
from canceldesk.cases.authority import Act, may
from canceldesk.cases.models import Case, CaseSubscription, Channel, Decision, Finding, Message
from canceldesk.cases.services import WithdrawBecause
from canceldesk.closing.services import Seen
from canceldesk.retention.models import Attempt

LONGEST_TEXT = 5000
_UNCHOSEN = ("", "Choose …")
_SEEN = re.compile(r"(-?\d{1,12}):(.{1,80})", re.ASCII)


def new_token() -> str:
    """What makes a form that is posted twice count once."""
    return uuid.uuid4().hex


class ChosenInvoices(forms.Field):
    """Ticked invoices, each with the amount the person saw."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: list[str] | None) -> list[Seen]:
        """The invoices; raises ValidationError for what no page of ours sends."""
        return [self._seen(one) for one in value or []]

    @staticmethod
    def _seen(value: str) -> Seen:
        found = _SEEN.fullmatch(value)
        if found is None:
            raise forms.ValidationError("Load the page again and choose the invoices anew.")
        return Seen(number=found[2], amount_minor=int(found[1]))


class CaseForm(forms.Form):
    """A form of one panel. `case` is what it is about, `by` who fills it in; ids on the page
    carry the panel's name, so that two panels can ask for the same thing.
    """

    key = ""

    def __init__(self, case: Case, by: User, data: Any = None) -> None:  # noqa: ANN401 - a QueryDict
        super().__init__(data, auto_id=f"{self.key}-%s", initial={"channel": case.channel})
        self.case, self.by = case, by

    def typed_words(self) -> str:
        """What the person wrote, to be shown again when there is no field for it any more."""
        texts = [
            str(self.data.get(name, "")).strip()
            for name, field in self.fields.items()
            if isinstance(field.widget, forms.Textarea)
        ]
        return "\n".join(text for text in texts if text)


def _words(label: str, *, required: bool = True, rows: int = 3) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required,
        max_length=LONGEST_TEXT,
        widget=forms.Textarea(attrs={"rows": rows}),
    )


class NoteForm(CaseForm):
    """A message of the conversation."""

    key = "note"
    form_token = forms.CharField(
        widget=forms.HiddenInput, initial=new_token, max_length=64, required=False
    )
    direction = forms.ChoiceField(label="Who spoke", choices=Message.Direction.choices)
    channel = forms.ChoiceField(label="How", choices=Channel.choices)
    body = _words("What was said or written")


class AttemptForm(CaseForm):
    """A retention attempt."""

    key = "attempt"
    form_token = forms.CharField(widget=forms.HiddenInput, initial=new_token, max_length=64)
    channel = forms.ChoiceField(label="How", choices=Channel.choices)
    offer = forms.ChoiceField(label="Offer", choices=[_UNCHOSEN, *Attempt.Offer.choices])
    answer = forms.ChoiceField(label="Answer", choices=[_UNCHOSEN, *Attempt.Answer.choices])
    note = _words("Note", required=False, rows=2)


class DecideForm(CaseForm):
    """A manager's word, with the write-offs approved in the same breath."""

    key = "decide"
    decision = forms.ChoiceField(
        label="Decision", choices=Decision.choices, error_messages={"required": "Choose one."}
    )
    attempts = forms.IntegerField(widget=forms.HiddenInput, required=False)
    typed_id = forms.CharField(label="Type the Billsby ID", required=False, max_length=64)
    invoice = ChosenInvoices(required=False)


class WithdrawForm(CaseForm):
    """Why a case ends without a decision. Whether a reason may be given, the service says."""

    key = "withdraw"
    because = forms.CharField(label="Why", required=False, max_length=40)
    words = forms.CharField(label="In your words", required=False, max_length=150)

    @property
    def reasons(self) -> list[tuple[str, str]]:
        """The reasons this person may give for this case, each with its label."""
        out_of_reach = set()
        if not may(self.by, Act.WITHDRAW_CHANGED_MIND):
            out_of_reach.add(WithdrawBecause.CHANGED_MIND)
        if not self.others_open or not may(self.by, Act.WITHDRAW_DUPLICATE):
            out_of_reach.add(WithdrawBecause.DUPLICATE)
        return [each for each in WithdrawBecause.LABELS.items() if each[0] not in out_of_reach]

    @cached_property
    def others_open(self) -> list[Case]:
        """The client's other open cases, which this one could repeat."""
        return filed_twice.others_open(self.case)

    @property
    def what_each_is_about(self) -> str:
        """Which services are in which of them, and in this case."""
        return filed_twice.what_each_is_about(self.case, self.others_open)


class WriteOffForm(CaseForm):
    """Invoices to be written off."""

    key = "write_off"
    invoice = ChosenInvoices(required=False)


class ReleaseForm(CaseForm):
    """The subscription whose pause is lifted for a click."""

    key = "release"
    scope = forms.ModelChoiceField(queryset=CaseSubscription.objects.none())

    def __init__(self, case: Case, by: User, data: Any = None) -> None:  # noqa: ANN401
        super().__init__(case, by, data)
        field = self.fields["scope"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - declared above
        field.queryset = case.scope.select_related("subscription")


class TakeBackForm(CaseForm):
    """Why a decision is taken back."""

    key = "take_back"
    why = _words("Why", rows=2)


class TakeOffForm(CaseForm):
    """Why the row of a closed case is taken off the list."""

    key = "take_off"
    why = _words("Why", rows=2)


class SettleForm(CaseForm):
    """Why something that was found wrong is settled."""

    key = "settle"
    finding = forms.ModelChoiceField(
        queryset=Finding.objects.none(),
        label="What is settled",
        error_messages={"required": "Choose one.", "invalid_choice": "Load the page again."},
    )
    why = _words("Why", rows=2)

    def __init__(self, case: Case, by: User, data: Any = None) -> None:  # noqa: ANN401
        super().__init__(case, by, data)
        field = self.fields["finding"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101 - declared above
        field.queryset = case.findings.all()


class ButtonForm(CaseForm):
    """A button alone."""

    key = "button"
