"""The desk's pages as a person reads them: what they say, what they ask for, their forms."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from lxml import html
from lxml.html import FormElement, HtmlElement

ENDED = ("Closed", "Retained", "Withdrawn")
UNDECIDED = ("New", "Retention")
_SERVICE = re.compile(r"(\w+)(?:, in (C-\d+))?")
_LEFT = re.compile(r"\((\w+)\).* in (C-\d+)$")
_STANDING = re.compile(r"Open (C-\d+)")


@dataclass(frozen=True)
class PageForm:
    """A form as it stands: where it goes, what it would send, and what can be chosen in it."""

    action: str
    values: tuple[tuple[str, str], ...]
    choices: dict[str, tuple[str, ...]]

    def filled(self, **given: str | list[str]) -> dict[str, str | list[str]]:
        """What is sent with some fields filled in; a list for a field of several."""
        sent: dict[str, str | list[str]] = {}
        for name, value in self.values:
            there = sent.get(name)
            sent[name] = value if there is None else [*_listed(there), value]
        return sent | given


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


@dataclass(frozen=True)
class Asked:
    """A click in Billsby's control panel that the desk asks for."""

    subscription: str
    scope: str
    instructions: str
    can_release: bool
    is_lifted: bool


class Page:
    """Any page."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tree: HtmlElement = html.document_fromstring(text or "<html></html>")

    @cached_property
    def forms(self) -> list[PageForm]:
        """Every form of the page."""
        found: list[FormElement] = self._tree.forms
        return [_form(one) for one in found]

    def form_to(self, path: str) -> PageForm | None:
        """The form that goes to an address, without what follows `#`."""
        return next((one for one in self.forms if one.action == path), None)

    def words_at(self, path: str) -> str:
        """The words of the first element an XPath finds, with single spaces; "" for none."""
        found = self._tree.xpath(path)
        return " ".join(found[0].text_content().split()) if found else ""

    @cached_property
    def trouble(self) -> str:
        """What went wrong, as the page says it; "" when nothing did."""
        problem = '//*[contains(@class,"field-problem") or @role="alert"]'
        return self.words_at('//*[@id="trouble"]') or self.words_at(problem)


def _form(form: FormElement) -> PageForm:
    choices: dict[str, list[str]] = {}
    for control in form.xpath('.//input[@type="radio" or @type="checkbox"]|.//select/option'):
        name = control.get("name") or control.getparent().get("name")
        if name and control.get("disabled") is None:
            choices.setdefault(name, []).append(control.get("value", "on"))
    action = (form.get("action") or "").partition("#")[0]
    values = tuple((name, value) for name, value in form.form_values() if name)
    return PageForm(action, values, {name: tuple(found) for name, found in choices.items()})


class RequestPanel(Page):
    """The form for a new request, with one client's services."""

    FORM = "/new/"

    @property
    def form(self) -> PageForm | None:
        """The form; None when there is nothing to stop."""
        return self.form_to(self.FORM)

    @cached_property
    def services(self) -> dict[str, tuple[str, str]]:
        """By the Billsby ID of a service: its value in the form, and the open case it is in."""
        found = {}
        for box in self._tree.xpath('//input[@name="subscriptions"]'):
            told = box.getparent().xpath(".//small")[0].text_content().strip()
            matched = _SERVICE.match(told)
            if matched:
                found[matched[1]] = (box.get("value", ""), matched[2] or "")
        for line in self._tree.xpath("//li"):  # where there is nothing left to stop
            if matched := _LEFT.search(" ".join(line.text_content().split())):
                found[matched[1]] = ("", matched[2])
        return found

    @property
    def standing(self) -> str:
        """The open case that an answer says a chosen service is in; "" for none."""
        matched = _STANDING.search(self.text)
        return matched[1] if matched else ""


class CasePage(Page):
    """The page of one case."""

    @property
    def number(self) -> str:
        """Its number, such as C-00012."""
        found = re.search(r"Case (C-\d+)", self.text)
        return found[1] if found else ""

    @cached_property
    def state(self) -> str:
        """Its state in the page's words."""
        return self.words_at('//p[@class="case-chips"]/span[1]')

    @cached_property
    def decision(self) -> str:
        """The decision that stands, in the page's words."""
        return self.words_at('//p[@class="case-chips"]/span[@data-tone="amber"][last()]')

    @cached_property
    def sentence(self) -> str:
        """What the case waits for, or why it needs attention."""
        return self.words_at('//div[@role="status" and contains(@class,"case-next")]/p')

    @property
    def needs_attention(self) -> bool:
        """Whether the page is flagged."""
        return bool(self._tree.xpath('//p[@class="case-chips"]/span[.="Needs attention"]'))

    @cached_property
    def client_id(self) -> str:
        """The client's Billsby ID."""
        found = self._tree.xpath('//button[@id="copy-client"]/@data-copy')
        return str(found[0]) if found else ""

    @cached_property
    def clicks(self) -> list[Asked]:
        """The clicks that are asked for."""
        return [self._asked(one) for one in self._tree.xpath('//div[@class="case-click"]')]

    @staticmethod
    def _asked(part: HtmlElement) -> Asked:
        button = part.xpath('.//button[starts-with(@id,"copy-")]')[0]
        words = " ".join(part.text_content().split())
        return Asked(
            subscription=str(button.get("data-copy")),
            scope=str(button.get("id")).removeprefix("copy-"),
            instructions=words,
            can_release=bool(part.xpath(".//form")),
            is_lifted="pause is lifted" in words,
        )

    def action(self, name: str) -> PageForm | None:
        """The form of an action, such as `decide`; None when the page does not offer it."""
        return next((f for f in self.forms if re.fullmatch(rf"/cases/\d+/{name}/", f.action)), None)

    @property
    def to_approve(self) -> list[str]:
        """Invoices to be approved, as the form sends them; empty when this person may not."""
        form = self.action("write-off")
        return list(form.choices.get("invoice", ())) if form else []

    @cached_property
    def asks_for_approval(self) -> bool:
        """Whether invoices wait for somebody's approval, whoever may give it."""
        return self.words_at('//h2[@id="write-offs-title"]') == "Write-offs to approve"

    @cached_property
    def row(self) -> str:
        """What is told of the row on the list, such as `The row is off the list`."""
        return self.words_at('//h2[@id="row-title"]')

    @property
    def is_over(self) -> bool:
        """Whether the case has ended and asks nobody for anything."""
        return self.state in ENDED and not self.needs_attention
