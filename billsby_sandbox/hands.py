"""The panel's clicks from Python, for tests and scripts that need no browser."""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

from billsby_sandbox import changes
from billsby_sandbox.books import Books
from billsby_sandbox.errors import PanelRefused, Refused
from billsby_sandbox.records import Invoice, Subscription
from billsby_sandbox.words import Actor


class PanelHands(ABC):
    """What a person does in the control panel. PanelRefused carries the words they would read."""

    books: Books

    @abstractmethod
    def transaction(self) -> AbstractContextManager[Books]:
        """Several changes that happen together or not at all."""

    def panel_suspend(self, subscription_uid: str) -> Subscription:
        """'Update status' to Suspended."""
        with _in_panel_words(), self.transaction():
            return changes.suspend(self.books, Actor.PANEL, subscription_uid)

    def panel_activate(self, subscription_uid: str) -> Subscription:
        """'Update status' to Active, which bills at once."""
        with _in_panel_words(), self.transaction():
            return changes.reactivate(self.books, Actor.PANEL, subscription_uid)

    def panel_cancel(
        self, subscription_uid: str, typed_customer_uid: str, *, prorated_refund: bool = False
    ) -> Subscription:
        """'Cancel subscription' with the typed Customer ID."""
        with _in_panel_words(), self.transaction():
            return changes.cancel(
                self.books,
                Actor.PANEL,
                subscription_uid,
                typed_customer_uid,
                prorated_refund=prorated_refund,
                blocked=True,
            )

    def panel_change_bill_date(
        self, subscription_uid: str, date: dt.datetime, *, pause: bool = False
    ) -> Subscription:
        """'Change bill date'."""
        with _in_panel_words(), self.transaction():
            return changes.move_renewal(
                self.books, Actor.PANEL, subscription_uid, date, pause=pause
            )

    def panel_write_off(self, number: str) -> Invoice:
        """'Update status' of an invoice to Written off."""
        with _in_panel_words(), self.transaction():
            changes.write_off(self.books, Actor.PANEL, number)
            return self.books.invoice(number)

    def panel_paid_offline(self, number: str) -> Invoice:
        """'Update status' of an invoice to Paid Offline."""
        with _in_panel_words(), self.transaction():
            changes.mark_paid_offline(self.books, Actor.PANEL, number)
            return self.books.invoice(number)

    def panel_reattempt(self, number: str) -> Invoice:
        """'Reattempt' an invoice's payment."""
        with _in_panel_words(), self.transaction():
            return changes.reattempt(self.books, Actor.PANEL, number)


@contextmanager
def _in_panel_words() -> Iterator[None]:
    try:
        yield
    except Refused as refused:
        raise PanelRefused(refused.words, refused.code) from refused
