"""Agents and managers at the desk's pages: what they do, and every try of it in the journal.

When an answer is lost they look again, as people do, and send the very same form once more, as a
browser does that is asked to. A form whose page was too old is filled in afresh.
"""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable
from typing import Any

import httpx

from tests.chaos.browser import Answer, Browser, Fields
from tests.chaos.interfaces import Person, Stage
from tests.chaos.pages import CasePage, PageForm, RequestPanel
from tests.chaos.plan import DUPLICATE, NOT_A_CANCELLATION, PlannedCase

_CLIENT = re.compile(r'data-url="(/new/\d+/)"')
_CASE = re.compile(r"/cases/(\d+)/")
_OFFERS = 3
_FOUND = 200
_CONFLICT = 422


class NotNow(Exception):
    """It could not be done just now: nothing answered, or the page does not offer it (yet)."""

    def __init__(self, why: str, answer: Answer | None = None) -> None:
        super().__init__(why)
        self.nobody_answers = answer is not None and answer.is_lost


class Staff:
    """One of the staff. Everything but `close` may raise NotNow."""

    def __init__(
        self,
        stage: Stage,
        person: Person,
        rng: random.Random,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.person = person
        self._journal = stage.journal
        self._browser = Browser(stage.pages_url, person, transport)
        self._rng = rng
        self._clients: dict[str, str] = {}

    def close(self) -> None:
        """Go home."""
        self._browser.close()

    # filing

    def file(self, planned: PlannedCase) -> int:
        """File a wish; the case's number as it stands in its address."""
        path = self._client_path(planned.client)
        panel = self._panel(path)
        if (standing := _standing(panel, planned)) is not None:
            return standing
        fields = self._filled(panel, planned)
        send = self._sends_twice if planned.files_twice else self._sends
        for attempt in range(2):
            answer = send(RequestPanel.FORM, fields, self._filing(planned, fields))
            if answer.leads_on:
                return _case_in(answer.location)
            panel = RequestPanel(answer.text) if answer.status == _CONFLICT else self._panel(path)
            standing = _standing(panel, planned) or _number(panel.standing)
            if standing is not None:
                return standing
            if attempt == 0 and not answer.is_lost:
                fields = self._browser.fresh(fields)
        raise NotNow(f"not filed: {answer.status} {panel.trouble}", answer)

    def _client_path(self, client_id: str) -> str:
        if client_id not in self._clients:
            answer = self._browser.get(f"/new/search/?q={client_id}", htmx=True)
            found = _CLIENT.search(answer.text)
            if found is None and "Ask Billsby" in answer.text:
                fields = self._browser.fresh({"q": client_id})
                answer = self._browser.send("/new/look-up/", fields, htmx=True)
                found = _CLIENT.search(answer.text)
                self._write("asked_billsby", answer, client=client_id, found=found is not None)
            if found is None:
                raise NotNow(f"{client_id} is not found: {answer.status}", answer)
            self._clients[client_id] = found[1]
        return self._clients[client_id]

    def _panel(self, path: str) -> RequestPanel:
        answer = self._browser.get(path, htmx=True)
        if answer.status != _FOUND:
            raise NotNow(f"{path}: {answer.status}", answer)
        return RequestPanel(answer.text)

    def _filled(self, panel: RequestPanel, planned: PlannedCase) -> Fields:
        form, known = panel.form, panel.services
        if form is None or not known.keys() >= set(planned.scope):
            raise NotNow(f"nothing of {planned.client} can be stopped")
        reasons = form.choices["reason"]
        return form.filled(
            subscriptions=[known[service][0] for service in planned.scope],
            reason=reasons[planned.reason % len(reasons)],
            wish=planned.wish,
            channel=planned.channel,
            reason_words=planned.words,
            note="Told on the phone." if self._rng.random() < 0.2 else "",
        )

    def _filing(self, planned: PlannedCase, fields: Fields) -> Callable[[Answer], None]:
        def write(answer: Answer) -> None:
            filed = f"C-{_case_in(answer.location):05d}" if answer.leads_on else ""
            self._write(
                "filed",
                answer,
                key=planned.key,
                token=fields["form_token"],
                client=planned.client,
                subscriptions=list(planned.scope),
                wish=planned.wish,
                case=filed,
            )

        return write

    # a case

    def look(self, case: int) -> CasePage:
        """The page of a case."""
        answer = self._browser.get(f"/cases/{case}/")
        if answer.status != _FOUND:
            raise NotNow(f"case {case}: {answer.status}", answer)
        return CasePage(answer.text)

    def attempt(self, page: CasePage) -> None:
        """Record a retention attempt."""
        form = _offered(page, "attempt")
        offer = self._rng.choice([one for one in form.choices["offer"] if one][:_OFFERS])
        answers = [one for one in form.choices["answer"] if one]
        fields = form.filled(offer=offer, answer=self._rng.choice(answers), note="We talked.")
        self._act(page, form, fields, "attempted")

    def decide(
        self, page: CasePage, decision: str, *, with_write_offs: bool = False, twice: bool = False
    ) -> None:
        """Say what becomes of the client."""
        form = _offered(page, "decide")
        ticked = list(form.choices.get("invoice", ())) if with_write_offs else []
        typed = page.client_id if decision == "cancel" else ""
        fields = form.filled(decision=decision, typed_id=typed, invoice=ticked)
        told = {"decision": decision, "invoices": [_invoice(one) for one in ticked]}
        self._act(page, form, fields, "decided", twice=twice, **told)

    def withdraw(self, page: CasePage, because: str) -> None:
        """End a case that nobody has decided."""
        form = _offered(page, "withdraw")
        offered = form.choices["because"]
        if because == DUPLICATE and because not in offered:
            because = NOT_A_CANCELLATION  # filed twice, but the other case is over by now
        if because not in offered:
            raise NotNow(f"{page.number} cannot be withdrawn as {because}")
        self._act(page, form, form.filled(because=because), "withdrawn", because=because)

    def take_back(self, page: CasePage) -> None:
        """Take a decision back."""
        form = _offered(page, "take-back")
        self._act(page, form, form.filled(why="They called again."), "taken_back")

    def approve(self, page: CasePage) -> None:
        """Approve writing off everything the page asks for."""
        form = _offered(page, "write-off")
        ticked = page.to_approve
        invoices = [_invoice(one) for one in ticked]
        fields = form.filled(invoice=ticked)
        self._act(page, form, fields, "approved", invoices=invoices, by=self.person.role)

    def try_above_limit(self, page: CasePage, ticked: list[str]) -> None:
        """Send an approval that the page does not offer, as somebody with an old page would."""
        note = _offered(page, "note")
        token = {"csrfmiddlewaretoken": dict(note.values)["csrfmiddlewaretoken"]}
        path = note.action.replace("/note/", "/write-off/")
        answer = self._browser.send(path, {**token, "invoice": ticked})
        invoices = [_invoice(one) for one in ticked]
        self._note("approved", page, answer, invoices=invoices, by=self.person.role)

    def release(self, page: CasePage, scope: str) -> None:
        """Have the pause of a service lifted for a click."""
        forms = [form for form in page.forms if form.action.endswith("/release/")]
        form = next((form for form in forms if ("scope", scope) in form.values), None)
        if form is None:
            raise NotNow(f"{page.number} offers no release")
        self._act(page, form, form.filled(), "released", scope=scope)

    def rewrite(self, page: CasePage) -> None:
        """Have the row written again."""
        form = _offered(page, "rewrite")
        self._act(page, form, form.filled(), "rewritten")

    def take_off(self, page: CasePage) -> None:
        """Have the row of a closed case taken off the list."""
        form = _offered(page, "take-off-list")
        self._act(page, form, form.filled(why="It was somebody else."), "taken_off")

    def retry(self, page: CasePage) -> None:
        """Ask the desk to try again at once."""
        form = _offered(page, "retry")
        self._act(page, form, form.filled(), "retried")

    # sending

    def _act(
        self,
        page: CasePage,
        form: PageForm,
        fields: Fields,
        what: str,
        *,
        twice: bool = False,
        **facts: Any,
    ) -> None:
        """Send a form of the case's page; once more when the answer is lost or the page was old."""

        def write(answer: Answer) -> None:
            self._note(what, page, answer, **facts)

        send = self._sends_twice if twice else self._sends
        answer = send(form.action, fields, write)
        if answer.is_stale or answer.is_sign_in:
            answer = self._sends(form.action, self._browser.fresh(fields), write)
        elif answer.is_lost:
            answer = self._sends(form.action, fields, write)
        if not answer.leads_on:
            raise NotNow(f"{what}: {answer.status} {CasePage(answer.text).trouble}", answer)

    def _sends(self, path: str, fields: Fields, write: Callable[[Answer], None]) -> Answer:
        answer = self._browser.send(path, fields)
        write(answer)
        return answer

    def _sends_twice(self, path: str, fields: Fields, write: Callable[[Answer], None]) -> Answer:
        """A double click: both on their way at once; the better answer counts."""
        answers: list[Answer] = []
        clicks = [
            threading.Thread(target=lambda: answers.append(self._sends(path, fields, write)))
            for _ in range(2)
        ]
        for click in clicks:
            click.start()
        for click in clicks:
            click.join()
        return next((answer for answer in answers if answer.leads_on), answers[0])

    def _note(self, what: str, page: CasePage, answer: Answer, **facts: Any) -> None:
        self._write(what, answer, case=page.number, **facts)

    def _write(self, what: str, answer: Answer, **facts: Any) -> None:
        refused = answer.status == 403 and not answer.is_stale
        who = self.person.email
        self._journal.write(who, what, status=answer.status, refused=refused, **facts)


def _offered(page: CasePage, action: str) -> PageForm:
    form = page.action(action)
    if form is None:
        raise NotNow(f"{page.number} does not offer {action}")
    return form


def _standing(panel: RequestPanel, planned: PlannedCase) -> int | None:
    """The open case that the whole wish is in already."""
    cases = {panel.services.get(service, ("", ""))[1] for service in planned.scope}
    return _number(cases.pop()) if len(cases) == 1 else None


def _number(case: str) -> int | None:
    return int(case.removeprefix("C-")) if case else None


def _case_in(location: str) -> int:
    found = _CASE.search(location)
    if found is None:
        raise NotNow(f"an answer leads to {location}")
    return int(found[1])


def _invoice(value: str) -> list[str | int]:
    amount, _, number = value.partition(":")
    return [number, int(amount)]
