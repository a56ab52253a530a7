"""One form per section of the settings, made from their definitions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.forms import BoundField

from canceldesk.configuration import services as configuration
from canceldesk.configuration.changing import BadSettingsError
from canceldesk.configuration.definitions import SETTINGS, Kind, Section, Setting

SECTION_LABELS = {
    Section.COMPANY: "Company",
    Section.BILLSBY: "Billsby",
    Section.WORKBOOK: "Workbook",
    Section.POLICY: "Policy",
    Section.MAIL: "Mail",
}
_LONG_SECRET = 4096


@dataclass(frozen=True)
class Row:
    """A setting on the page: a field, or what the environment fixed."""

    setting: Setting
    field: BoundField | None
    clear: BoundField | None
    is_set: bool
    fixed_text: str
    problem: str


class SectionForm(forms.Form):
    """The settings of one section that can be changed here."""

    def __init__(self, section: Section, data: Any = None) -> None:  # noqa: ANN401 - request.POST
        super().__init__(data)
        self.settings = [setting for setting in SETTINGS if setting.section is section]
        for setting in self.settings:
            if not configuration.is_fixed(setting.name):
                self._add(setting)

    def texts(self) -> dict[str, str]:
        """The valid form's texts by setting name; a secret only if it is replaced or cleared."""
        found = {}
        for setting in self.settings:
            if setting.name not in self.fields:
                continue
            given = self.cleaned_data[setting.name]
            if setting.kind is Kind.YES_NO:
                found[setting.name] = "yes" if given else "no"
            elif setting.kind is not Kind.SECRET or given:
                found[setting.name] = given
            elif self.cleaned_data.get(_clear_name(setting)):
                found[setting.name] = ""
        return found

    def explain(self, problems: BadSettingsError) -> None:
        """Put each problem beside its field."""
        for name, sentence in problems.problems.items():
            self.add_error(name if name in self.fields else None, sentence)

    def rows(self) -> Iterator[Row]:
        """Every setting of the section in order, ready to be shown."""
        for setting in self.settings:
            is_fixed = setting.name not in self.fields
            is_secret = setting.kind is Kind.SECRET
            clear = _clear_name(setting)
            yield Row(
                setting=setting,
                field=None if is_fixed else self[setting.name],
                clear=self[clear] if clear in self.fields else None,
                is_set=configuration.is_set(setting.name),
                fixed_text=configuration.shown(setting.name) if is_fixed and not is_secret else "",
                problem=configuration.problem(setting.name),
            )

    def _add(self, setting: Setting) -> None:
        field = _field(setting)
        field.label, field.help_text = setting.label, setting.help
        self.fields[setting.name] = field
        if setting.kind is Kind.SECRET and configuration.is_set(setting.name):
            self.fields[_clear_name(setting)] = forms.BooleanField(
                required=False, label="Clear what is saved"
            )


def _clear_name(setting: Setting) -> str:
    return f"{setting.name}-clear"


def _field(setting: Setting) -> forms.Field:
    now = configuration.shown(setting.name)
    if setting.name == "TIME_ZONE":
        zones = sorted(_zones() | {now})
        return forms.ChoiceField(choices=[(zone, zone) for zone in zones], initial=now)
    match setting.kind:
        case Kind.YES_NO:
            is_on = not configuration.problem(setting.name) and configuration.yes(setting.name)
            return forms.BooleanField(required=False, initial=is_on)
        case Kind.CHOICE:
            return forms.ChoiceField(choices=setting.choices, initial=now)
        case Kind.SECRET:
            hidden = forms.PasswordInput(attrs={"autocomplete": "new-password"})
            return forms.CharField(required=False, max_length=_LONG_SECRET, widget=hidden)
        case _:
            return _text_field(setting, now)


def _text_field(setting: Setting, now: str) -> forms.CharField:
    widgets: dict[Kind, forms.Widget] = {
        Kind.WHOLE: forms.NumberInput(attrs=_bounds(setting)),
        Kind.NUMBER: forms.NumberInput(attrs=_bounds(setting)),
        Kind.MONEY: forms.TextInput(attrs={"inputmode": "decimal"}),
    }
    is_required = setting.kind in widgets
    widget = widgets.get(setting.kind, forms.TextInput())
    return forms.CharField(required=is_required, initial=now, widget=widget)


def _bounds(setting: Setting) -> dict[str, str]:
    attributes = {"step": "1" if setting.kind is Kind.WHOLE else "any"}
    if setting.least is not None:
        attributes["min"] = f"{setting.least:g}"
    if setting.most is not None:
        attributes["max"] = f"{setting.most:g}"
    return attributes


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    places = ("Africa", "America", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")
    found = {name for name in available_timezones() if name.split("/")[0] in places}
    return frozenset(found | {"UTC"})
