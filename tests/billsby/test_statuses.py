"""Billsby's statuses are recognised however they are spelled, and never guessed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from canceldesk.billsby import CreditNoteStatus, InvoiceKind, InvoiceStatus, SubscriptionStatus

KINDS = (SubscriptionStatus, InvoiceStatus, CreditNoteStatus, InvoiceKind)
known = st.sampled_from([status for kind in KINDS for status in kind])


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        ("Active", SubscriptionStatus.ACTIVE),
        ("active", SubscriptionStatus.ACTIVE),
        ("InTrial", SubscriptionStatus.IN_TRIAL),
        ("In trial", SubscriptionStatus.IN_TRIAL),
        ("Suspended", SubscriptionStatus.SUSPENDED),
        ("Paused", SubscriptionStatus.PAUSED),
        (" CANCELLED ", SubscriptionStatus.CANCELLED),
    ],
)
def test_the_spellings_of_billsbys_pages_are_recognised(raw, status):
    assert SubscriptionStatus.parse(raw) is status


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        ("Paid", InvoiceStatus.PAID),
        ("Paid Offline", InvoiceStatus.PAID_OFFLINE),
        ("PaidOffline", InvoiceStatus.PAID_OFFLINE),
        ("Pending", InvoiceStatus.PENDING),
        ("Unpaid", InvoiceStatus.UNPAID),
        ("To be Written off", InvoiceStatus.TO_BE_WRITTEN_OFF),
        ("To be written off", InvoiceStatus.TO_BE_WRITTEN_OFF),
        ("ToBeWrittenOff", InvoiceStatus.TO_BE_WRITTEN_OFF),
        ("Written off", InvoiceStatus.WRITTEN_OFF),
        ("WrittenOff", InvoiceStatus.WRITTEN_OFF),
    ],
)
def test_an_invoice_status_is_recognised_as_panel_and_api_spell_it(raw, status):
    assert InvoiceStatus.parse(raw) is status


@given(status=known, data=st.data())
def test_case_spaces_hyphens_and_underscores_never_matter(status, data):
    letters = status.value.replace("_", "")
    fillers = data.draw(
        st.lists(
            st.sampled_from(["", " ", "-", "_", "\t", "\u00a0"]),
            min_size=len(letters),
            max_size=len(letters),
        )
    )
    uppers = data.draw(st.lists(st.booleans(), min_size=len(letters), max_size=len(letters)))
    spelling = "".join(
        filler + (letter.upper() if upper else letter)
        for letter, filler, upper in zip(letters, fillers, uppers, strict=True)
    )
    assert type(status).parse(spelling) is status


@given(raw=st.text(), kind=st.sampled_from(KINDS))
def test_every_text_gives_some_status_and_only_known_letters_give_a_known_one(raw, kind):
    status = kind.parse(raw)
    letters = "".join(c for c in raw.casefold() if c not in "-_" and not c.isspace())
    assert (status.value == "unknown") == (
        letters not in {s.value.replace("_", "") for s in kind if s.value != "unknown"}
    )


@pytest.mark.parametrize("raw", [None, "", "Inactive", "Canceled", "Suspendedx", "active;paused"])
def test_what_is_not_recognised_is_unknown_and_not_the_nearest(raw):
    assert SubscriptionStatus.parse(raw) is SubscriptionStatus.UNKNOWN


def test_pending_unpaid_to_be_written_off_and_unknown_invoices_block_and_no_other():
    assert {status for status in InvoiceStatus if status.blocks} == {
        InvoiceStatus.PENDING,
        InvoiceStatus.UNPAID,
        InvoiceStatus.TO_BE_WRITTEN_OFF,
        InvoiceStatus.UNKNOWN,
    }


def test_only_suspended_and_cancelled_subscriptions_are_stopped():
    assert {status for status in SubscriptionStatus if status.is_stopped} == {
        SubscriptionStatus.SUSPENDED,
        SubscriptionStatus.CANCELLED,
    }


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ("renewal", InvoiceKind.RENEWAL),
        ("OneTimeCharge", InvoiceKind.ONE_TIME_CHARGE),
        ("Refund", InvoiceKind.REFUND),
        ("OneTimeCredit", InvoiceKind.ONE_TIME_CREDIT),
        ("SetupFee", InvoiceKind.UNKNOWN),
    ],
)
def test_the_kind_of_an_invoice_is_recognised(raw, kind):
    assert InvoiceKind.parse(raw) is kind
