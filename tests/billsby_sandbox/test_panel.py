from __future__ import annotations

import datetime as dt
import re

import pytest

from billsby_sandbox import seed

from .conftest import NOON


@pytest.fixture
def client(company):
    return company.add_customer("Anna", "Berg", email="anna@example.com")


@pytest.fixture
def subscription(company, client):
    return company.add_subscription(client.uid)


def text(reply):
    assert reply.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", reply.get_data(as_text=True)))


def posted(browser, path, /, **form):
    return browser.post(path, data=form, follow_redirects=True)


PAGES = [
    "subscriptions/",
    "subscriptions/{sid}",
    "subscriptions/{sid}/status",
    "subscriptions/{sid}/cancel",
    "subscriptions/{sid}/bill-date",
    "customers/",
    "customers/{cid}",
    "customers/{cid}?tab=invoices",
    "invoices/",
    "invoices/credit-notes",
    "invoices/{number}",
    "invoices/{number}/status",
    "practice/",
]


@pytest.mark.parametrize("page", PAGES)
def test_every_page_says_that_nothing_is_real_and_keeps_to_a_strict_policy(
    company, browser, client, subscription, page
):
    number = company.add_invoice(client.uid).number
    path = page.format(sid=subscription.uid, cid=client.uid, number=number)
    reply = browser.get(f"/panel/{path}")
    assert "Practice Billsby: nothing here is real" in text(reply)
    assert "default-src 'none'" in reply.headers["Content-Security-Policy"]
    page_text = reply.get_data(as_text=True)
    assert "<script" not in page_text
    assert "style=" not in page_text


@pytest.mark.parametrize("page", PAGES)
def test_every_field_has_a_label(company, browser, client, subscription, page):
    number = company.add_invoice(client.uid).number
    path = page.format(sid=subscription.uid, cid=client.uid, number=number)
    html = browser.get(f"/panel/{path}").get_data(as_text=True)
    fields = re.findall(r"<(?:input|select)[^>]*>", html)
    labels = set(re.findall(r'<label for="([^"]+)"', html))
    for field in fields:
        if 'type="hidden"' in field or 'type="radio"' in field:
            continue
        found = re.search(r'id="([^"]+)"', field)
        assert found
        assert found[1] in labels


@pytest.mark.parametrize("path", ["subscriptions/X", "customers/X", "invoices/X-1"])
def test_what_is_not_there_is_404(browser, path):
    assert browser.get(f"/panel/{path}").status_code == 404


def test_the_style_and_the_icon_come_from_here(browser):
    for name in ("panel.css", "icon.svg"):
        reply = browser.get(f"/panel/static/{name}")
        assert reply.status_code == 200
        reply.close()


def test_the_front_door_leads_to_the_subscriptions(browser):
    assert "Subscriptions" in text(browser.get("/", follow_redirects=True))


@pytest.mark.parametrize("search", ["anna b", "ANNA@example", "{sid}"])
def test_subscriptions_are_found_by_name_email_or_id(company, browser, subscription, search):
    company.add_subscription(company.add_customer("Bruno", "Cole").uid)
    found = browser.get(
        "/panel/subscriptions/", query_string={"search": search.format(sid=subscription.uid)}
    )
    assert "Anna Berg" in text(found)
    assert "Bruno Cole" not in text(found)


def test_a_subscription_is_suspended_by_choosing_and_confirming(company, browser, subscription):
    page = f"/panel/subscriptions/{subscription.uid}/status"
    asked = text(posted(browser, page, status="Suspended"))
    assert "Confirm the update" in asked
    assert company.subscription(subscription.uid).status == "Active"
    done = text(posted(browser, page, status="Suspended", confirmed="yes"))
    assert "The status is now Suspended." in done
    assert company.subscription(subscription.uid).status == "Suspended"
    assert company.history()[-1].who == "panel"


def test_suspending_is_refused_in_billsbys_words_while_an_invoice_is_unpaid(
    company, browser, subscription
):
    number = company.add_invoice(subscription.customer_uid, 4900).number
    page = f"/panel/subscriptions/{subscription.uid}/status"
    told = text(posted(browser, page, status="Suspended", confirmed="yes"))
    assert "must be written off before the subscription can be suspended" in told
    written = text(posted(browser, f"/panel/invoices/{number}/status", status="WrittenOff"))
    assert f"Invoice {number} is now Written off." in written
    posted(browser, page, status="Suspended", confirmed="yes")
    assert company.subscription(subscription.uid).status == "Suspended"


def test_no_status_is_not_a_status(company, browser, subscription):
    page = f"/panel/subscriptions/{subscription.uid}/status"
    assert "Choose a status." in text(posted(browser, page, status="Cancelled"))
    assert company.subscription(subscription.uid).status == "Active"


def test_a_paused_subscription_may_have_no_other_status(company, browser, client):
    company.set_quirk("suspend_offered_while_paused", value=False)
    paused = company.add_subscription(client.uid, status="Paused")
    page = text(browser.get(f"/panel/subscriptions/{paused.uid}/status"))
    assert "No other status can be chosen" in page


def test_the_panel_says_paused_whatever_the_api_calls_it(company, browser, client):
    company.set_quirk("paused_shown", "on_hold")
    paused = company.add_subscription(client.uid, status="Paused")
    page = text(browser.get(f"/panel/subscriptions/{paused.uid}"))
    assert "Paused" in page
    assert "On hold" not in page


def test_a_suspended_subscription_is_made_active_and_bills(company, browser, subscription):
    company.panel_suspend(subscription.uid)
    page = f"/panel/subscriptions/{subscription.uid}/status"
    assert "Billing resumes at once." in text(posted(browser, page, status="Active"))
    posted(browser, page, status="Active", confirmed="yes")
    assert [one.status for one in company.invoices()] == ["Pending"]


def test_cancelling_wants_the_customer_id(company, browser, client, subscription):
    page = f"/panel/subscriptions/{subscription.uid}/cancel"
    assert "Do not issue a refund" in text(browser.get(page))
    assert "does not match" in text(posted(browser, page, customer_id="anna", refund="none"))
    done = text(posted(browser, page, customer_id=f" {client.uid} ", refund="none"))
    assert "The subscription is cancelled." in done
    assert company.subscription(subscription.uid).status == "Cancelled"


def test_cancelling_can_give_the_rest_of_the_period_back(company, browser, client, subscription):
    company.add_invoice(
        client.uid,
        9900,
        "Paid",
        subscription_uid=subscription.uid,
        created_at=NOON - dt.timedelta(days=10),
    )
    page = f"/panel/subscriptions/{subscription.uid}/cancel"
    posted(browser, page, customer_id=client.uid, refund="prorated")
    assert company.invoices()[0].refunded == 6600
    assert "$66" in text(browser.get("/panel/invoices/credit-notes"))


def test_the_bill_date_moves_with_a_pause_or_without(company, browser, subscription):
    page = f"/panel/subscriptions/{subscription.uid}/bill-date"
    told = text(posted(browser, page, date="2026-06-01", until="Paused"))
    assert "The next bill date is 01 Jun 2026." in told
    assert company.subscription(subscription.uid).status == "Paused"
    posted(browser, page, date="2026-05-01", until="Active")
    after = company.subscription(subscription.uid)
    assert (after.status, after.next_billing_at.month) == ("Active", 5)
    assert "Choose a new bill date." in text(posted(browser, page, date="", until="Paused"))
    assert "must be in the future" in text(posted(browser, page, date="2020-01-01"))


def test_customers_are_found_and_their_profile_shows_everything(
    company, browser, client, subscription
):
    number = company.add_invoice(client.uid, 4950).number
    assert "Anna Berg" in text(browser.get("/panel/customers/?search=berg"))
    assert "Nobody matches." in text(browser.get("/panel/customers/?search=zzz"))
    assert subscription.uid in text(browser.get(f"/panel/customers/{client.uid}"))
    invoices = text(browser.get(f"/panel/customers/{client.uid}?tab=invoices"))
    assert number in invoices
    assert "$49.50" in invoices


def test_invoices_are_filtered_by_status(company, browser, client):
    unpaid = company.add_invoice(client.uid, 100, "Unpaid").number
    paid = company.add_invoice(client.uid, 100, "Paid").number
    found = text(browser.get("/panel/invoices/?status=Unpaid"))
    assert unpaid in found
    assert paid not in found
    assert paid in text(browser.get("/panel/invoices/"))


def test_an_invoice_is_marked_as_paid_offline(company, browser, client):
    number = company.add_invoice(client.uid).number
    page = f"/panel/invoices/{number}/status"
    assert "is now Paid Offline" in text(posted(browser, page, status="PaidOffline"))
    assert company.invoice(number).status == "PaidOffline"
    assert "not waiting to be paid" in text(posted(browser, page, status="PaidOffline"))


def test_an_invoice_is_attempted_again_and_refunded(company, browser, client):
    number = company.add_invoice(client.uid, 9900).number
    posted(browser, f"/panel/invoices/{number}/reattempt")
    assert company.invoice(number).status == "Paid"
    assert "Succeeded" in text(browser.get(f"/panel/invoices/{number}"))
    page = f"/panel/invoices/{number}/refund"
    assert "on its way" in text(posted(browser, page, amount="19.90"))
    assert company.invoice(number).refunded == 1990
    for wrong in ("much", "-1", "nan", "inf", "1000"):
        assert "more than can be refunded" in text(posted(browser, page, amount=wrong))


def test_long_lists_come_in_pages_that_keep_the_search(company, browser):
    for number in range(30):
        company.add_customer("Anna", f"Number{number:02d}")
    first = browser.get("/panel/customers/?search=number")
    assert "Page 1 of 2" in text(first)
    assert "search=number&amp;page=2" in first.get_data(as_text=True)
    second = text(browser.get("/panel/customers/?search=number&page=2"))
    assert "Number00" in second
    assert "Page 2 of 2" in second
    assert "Number29" in text(browser.get("/panel/customers/?page=x"))


def test_names_are_shown_as_text_never_as_markup(company, browser):
    company.add_customer("<b>Anna</b>", "Berg")
    page = browser.get("/panel/customers/").get_data(as_text=True)
    assert "<b>Anna" not in page
    assert "&lt;b&gt;Anna" in page


def test_the_practice_page_moves_the_clock(company, browser, subscription):
    told = text(posted(browser, "/panel/practice/clock", step="month"))
    assert "One month later." in told
    assert company.now() == NOON + dt.timedelta(days=30)


def test_the_practice_page_sets_quirks(company, browser):
    told = posted(browser, "/panel/practice/quirks", rate_limit="4", suspend_offered="no")
    assert "The quirks are set." in text(told)
    assert (company.quirks()["rate_limit"], company.quirks()["suspend_offered"]) == ("4", "no")
    refused = text(posted(browser, "/panel/practice/quirks", rate_limit="lots"))
    assert "takes a whole number" in refused


def test_the_practice_page_adds_and_removes_faults(company, browser):
    form = {"kind": "status", "method": "PUT", "path": "*/WrittenOff", "status": "503"}
    assert "The fault is set." in text(posted(browser, "/panel/practice/faults", **form))
    (fault,) = company.faults()
    assert (fault.status, fault.path, fault.times) == (503, "*/WrittenOff", 0)
    posted(browser, f"/panel/practice/faults/{fault.id}/remove")
    assert company.faults() == []
    wrong = posted(browser, "/panel/practice/faults", kind="status", status="7")
    assert "greater than or equal to 400" in text(wrong)


def test_the_practice_page_takes_the_api_down(company, browser):
    posted(browser, "/panel/practice/down", how="503")
    assert browser.get("/_practice/state").json["down"] == "503"
    assert "not &#39;maybe&#39;" in text(posted(browser, "/panel/practice/down", how="maybe"))


def test_a_card_is_made_to_fail_and_to_work(company, browser, client):
    page = f"/panel/practice/customers/{client.uid}/card"
    assert "The card fails from now on." in text(posted(browser, page, good="no"))
    assert company.customer(client.uid).card_good is False
    assert "The card works." in text(posted(browser, page, good="yes"))


def test_the_whole_seeded_company_can_be_looked_through(company, browser):
    seed.fill(company)
    for subscription in company.subscriptions():
        assert browser.get(f"/panel/subscriptions/{subscription.uid}").status_code == 200
    for page in ("subscriptions/", "customers/", "invoices/?page=3", "practice/"):
        assert browser.get(f"/panel/{page}").status_code == 200
