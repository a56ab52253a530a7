"""How Billsby writes things down: every list and detail spells the same facts differently.

Shapes are those of the published API (billsby.md section 3); money is whole hundredths as an
integer, and a string where Billsby has a string.
"""

from __future__ import annotations

import json

from billsby_sandbox import times
from billsby_sandbox.books import Books
from billsby_sandbox.records import (
    CreditNote,
    Customer,
    Cycle,
    EventLog,
    Invoice,
    PaymentLog,
    Subscription,
)
from billsby_sandbox.words import InvoiceStatus, SubscriptionStatus

Json = dict[str, object]

_SIGNS = {"USD": "$", "GBP": "£", "EUR": "€"}
_DAYS_PER_MONTH = 30.44


def formatted(amount: int, currency: str) -> str:
    """A display string without decimals where there are none: `$10`, `$10.50`."""
    whole, rest = divmod(abs(amount), 100)
    sign = "-" if amount < 0 else ""
    return f"{sign}{_SIGNS.get(currency, '')}{whole}" + (f".{rest:02d}" if rest else "")


def customer_in_list(books: Books, customer: Customer) -> Json:
    """A line of the customer list."""
    return {
        "customerUniqueId": customer.uid,
        "firstName": customer.first_name,
        "lastName": customer.last_name,
        "email": customer.email,
        "createdOn": times.in_list(customer.created_at),
        "status": _customer_status(books, customer),
        "phoneNumber": customer.phone_number,
        "phoneNumberDialCode": customer.dial_code,
        "phoneNumberDialCodeCountry": customer.dial_country,
        "billingAddress": json.loads(customer.address),
    }


def customer_in_detail(books: Books, customer: Customer) -> Json:
    """The details of one customer."""
    total = paid_total(books, customer.uid)
    days = (books.now() - customer.created_at).days
    return {
        "companyCurrency": "USD",
        "totalAmountPaid": _total_text(books, total),
        "averageAmountPerMonth": _total_text(books, int(total / max(1, days / _DAYS_PER_MONTH))),
        "cardStatus": "active" if customer.card_good else "inactive",
        "customerUniqueId": customer.uid,
        "firstName": customer.first_name,
        "lastName": customer.last_name,
        "billingAddress": json.loads(customer.address),
        "email": customer.email,
        "additionalEmail": customer.additional_email,
        "phoneNumberDialCountry": customer.dial_country,
        "phoneNumberDialCode": _dial_code_in_detail(customer),
        "phoneNumber": customer.phone_number,
        "isMarketingConsentGiven": True,
        "createdOn": times.in_list(customer.created_at),
        "status": _customer_status(books, customer),
    }


def customer_after_update(customer: Customer) -> Json:
    """The reply to an update."""
    return {
        "customerId": customer.uid,
        "firstName": customer.first_name,
        "lastName": customer.last_name,
        "billingAddress": json.loads(customer.address),
        "email": customer.email,
        "additionalEmail": customer.additional_email,
        "phoneNumberDialCountry": customer.dial_country,
        "phoneNumberDialCode": _dial_code_in_detail(customer),
        "phoneNumber": customer.phone_number,
        "isMarketingConsentGiven": True,
        "createdOn": times.in_list(customer.created_at),
        "uniqueId": customer.uid,
    }


def _dial_code_in_detail(customer: Customer) -> str | None:
    """Details write the dial code with a plus, as the published example does."""
    return f"+{customer.dial_code.lstrip('+')}" if customer.dial_code else None


def _customer_status(books: Books, customer: Customer) -> str:
    return "active" if books.is_active(customer) else "inactive"


def paid_total(books: Books, customer_uid: str, subscription_uid: str | None = None) -> int:
    """What was paid less what was given back, in hundredths."""
    statuses = [InvoiceStatus.PAID]
    if not books.has_quirk("paid_total_excludes_offline"):
        statuses.append(InvoiceStatus.PAID_OFFLINE)
    marks = ", ".join("?" * len(statuses))
    return books.store.number(
        "SELECT SUM(amount - refunded) FROM invoice WHERE customer_uid = ? "  # noqa: S608
        f"AND (? IS NULL OR subscription_uid = ?) AND status IN ({marks})",
        customer_uid,
        subscription_uid,
        subscription_uid,
        *statuses,
    )


def _total_text(books: Books, amount: int) -> str:
    major = books.quirk("paid_total_unit") == "major"
    return f"{amount / 100:.2f}" if major else str(amount)


def subscription_of_customer(books: Books, subscription: Subscription) -> Json:
    """A line of one customer's subscriptions; `subscriptionId` is the unique id here."""
    cycle = books.cycle(subscription.cycle_id)
    return {
        "subscriptionId": subscription.uid,
        "productId": cycle.product_id,
        "productName": cycle.product_name,
        "planId": cycle.plan_id,
        "planName": cycle.plan_name,
        "status": books.spelled(subscription.status),
        "currency": cycle.currency,
        "revenue": _total_text(
            books, paid_total(books, subscription.customer_uid, subscription.uid)
        ),
        "nextBilling": times.in_list(subscription.next_billing_at)
        if _bills_again(books, subscription)
        else None,
        "createdOn": times.in_list(subscription.created_at),
        "units": subscription.units,
    }


def subscription_in_list(books: Books, subscription: Subscription) -> Json:
    """A line of the company's subscription list; plan and product ids are strings here."""
    cycle = books.cycle(subscription.cycle_id)
    customer = books.owner(subscription)
    return {
        "subscriptionId": subscription.id,
        books.quirk("subscription_id_spelling"): subscription.uid,
        "customerId": customer.id,
        "customerUniqueId": customer.uid,
        "customerEmail": customer.email,
        "customerFullname": customer.full_name,
        "planId": str(cycle.plan_id),
        "planName": cycle.plan_name,
        "productId": str(cycle.product_id),
        "productName": cycle.product_name,
        "createdOn": times.in_list(subscription.created_at),
        "status": books.spelled(subscription.status),
        "isInFreeTrial": subscription.status is SubscriptionStatus.IN_TRIAL,
    }


def subscription_in_detail(books: Books, subscription: Subscription) -> Json:
    """The details of one subscription; times have no zone here."""
    cycle = books.cycle(subscription.cycle_id)
    following = books.cycle(subscription.cycle_id_next or subscription.cycle_id)
    customer = books.owner(subscription)
    bills = _bills_again(books, subscription)
    amount = following.amount * subscription.units
    total = paid_total(books, customer.uid, subscription.uid)
    return {
        "companyCurrency": cycle.currency,
        "contractMinimumTermEnd": None,
        "createdOn": times.in_detail(subscription.created_at),
        "currency": cycle.currency,
        "customerEmail": customer.email,
        "customerFullname": customer.full_name,
        "customerId": customer.id,
        "customerUniqueId": customer.uid,
        "cycleId": cycle.id,
        "cycleIdNext": subscription.cycle_id_next,
        "isBillingAddressValidationRequired": False,
        "isShippingAddressRequired": False,
        "isShippingAddressValidationRequired": False,
        "nextBillingAmount": amount if bills else None,
        "nextBillingAmountFormatted": formatted(amount, cycle.currency) if bills else None,
        "nextBillingDate": times.in_detail(subscription.next_billing_at) if bills else None,
        "nextCycleRecurringBillingAmount": formatted(amount, cycle.currency),
        "nextPlanPricingModel": None,
        "planId": cycle.plan_id,
        "planIdNext": following.plan_id if subscription.cycle_id_next else None,
        "planName": cycle.plan_name,
        "planPricingModel": _pricing_model(cycle),
        "productId": cycle.product_id,
        "productName": cycle.product_name,
        "productVisibility": "Public",
        "status": books.spelled(subscription.status),
        "subscriptionId": subscription.id,
        "subscriptionUniqueId": subscription.uid,
        "totalRevenue": total,
        "totalRevenueFormatted": formatted(total, cycle.currency),
        "units": subscription.units,
        "unitsNext": None,
        "visibility": "Public",
    }


def _pricing_model(cycle: Cycle) -> Json:
    return {
        "billingDateType": "CustomerSignUpDate",
        "contractTerm": None,
        "contractTermFrequencyType": "Unassigned",
        "fixedBillingDateDay": None,
        "fixedBillingDateMonth": None,
        "freeQuantity": 0,
        "freeTrial": None,
        "freeTrialFrequencyType": "Unassigned",
        "frequency": cycle.frequency,
        "frequencyType": cycle.unit,
        "pricingModelId": cycle.id,
        "proRateOption": "ProRateBasedOnDaysRemaining",
        "setupFeePrice": None,
        "setupFeePriceFormatted": None,
        "tiers": [],
    }


def _bills_again(books: Books, subscription: Subscription) -> bool:
    if subscription.status is SubscriptionStatus.SUSPENDED:
        return books.quirk("suspended_next_billing") == "shown"
    return subscription.status is not SubscriptionStatus.CANCELLED


def event(books: Books, line: EventLog) -> Json:
    """A line of a subscription's event log."""
    type_ = line.type
    if books.quirk("event_log_types") == "words":
        type_ = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in type_)
    return {
        "subscriptionEventLogId": line.id,
        "type": type_.strip().capitalize() if " " in type_ else type_,
        "createdOn": times.in_list(line.created_at),
        "eventData": json.loads(line.data),
    }


def invoice_of_customer(books: Books, invoice: Invoice) -> Json:
    """A line of one customer's invoices."""
    return {
        "invoiceId": invoice.id,
        "createdOn": times.in_list(invoice.created_at),
        "invoiceNumber": invoice.number,
        "amount": invoice.amount,
        "refundableAmount": invoice.refundable,
        "formattedAmount": formatted(invoice.amount, invoice.currency),
        "currency": invoice.currency,
        "linkedTransactionsCount": books.store.number(
            "SELECT COUNT(*) FROM credit_note WHERE invoice_number = ?", invoice.number
        ),
        "status": books.spelled(invoice.status),
    }


def invoice_in_list(books: Books, invoice: Invoice) -> Json:
    """A line of the company's invoices."""
    customer = books.owner(invoice)
    return {
        "invoiceId": invoice.id,
        "invoiceNumber": invoice.number,
        "customerId": customer.id,
        "customerUniqueId": customer.uid,
        "customerFirstName": customer.first_name,
        "customerLastName": customer.last_name,
        "customerFullName": customer.full_name,
        "createdOn": times.in_list(invoice.created_at),
        "amount": invoice.amount,
        "formattedAmount": formatted(invoice.amount, invoice.currency),
        "status": books.spelled(invoice.status),
        "currency": invoice.currency,
    }


def invoice_in_detail(books: Books, invoice: Invoice) -> Json:
    """The details of one invoice; `status` is documented as the customer's, numbers are strings."""
    customer = books.owner(invoice)
    address = json.loads(customer.address)
    has_own_status = books.quirk("invoice_detail_status") == "invoice"
    own_status = books.spelled(invoice.status)
    status = own_status if has_own_status else _customer_status(books, customer)
    return {
        "invoiceId": str(invoice.id),
        "customerEmail": customer.email,
        "customerFirstName": customer.first_name,
        "customerLastName": customer.last_name,
        "customerUniqueId": customer.uid,
        "addressLine1": address.get("addressLine1"),
        "addressLine2": address.get("addressLine2"),
        "addressPostCode": address.get("postCode"),
        "addressCity": address.get("city"),
        "addressState": address.get("state"),
        "addressCountry": address.get("country"),
        "addressCountryCode": address.get("country"),
        "invoiceNumber": invoice.number,
        "createdOn": times.in_list(invoice.created_at),
        "formattedAmount": formatted(invoice.amount, invoice.currency),
        "amount": str(invoice.amount),
        "currency": invoice.currency.lower(),
        "status": status,
        "subTotal": str(invoice.amount),
        "taxTotal": "0",
        "prorationAdjustment": formatted(0, invoice.currency),
        "prorationFactor": None,
        "taxes": [],
        "invoiceType": invoice.kind.value[0].lower() + invoice.kind.value[1:],
        "subscriptions": _subscriptions_of_invoice(invoice),
        "companyName": books.domain,
        "companyEmail": f"{books.domain}@example.com",
        "companyDomain": books.domain,
        "cardType": "visa",
        "cardLast4Digits": customer.card_last4,
        "cardExpiryMonth": "07",
        "cardExpiryYear": "31",
        "refundableAmount": str(invoice.refundable),
    }


def _subscriptions_of_invoice(invoice: Invoice) -> list[Json]:
    if not (invoice.subscription_uid and invoice.period_start_at and invoice.period_end_at):
        return []
    item = {
        "description": invoice.description,
        "units": "1",
        "unitPrice": str(invoice.amount),
        "discounts": "0",
        "amount": str(invoice.amount),
    }
    return [
        {
            "subscriptionUniqueId": invoice.subscription_uid,
            "planName": invoice.description,
            "billingPeriodStart": times.in_list(invoice.period_start_at),
            "billingPeriodEnd": times.in_list(invoice.period_end_at),
            "subscriptionItems": [item],
        }
    ]


def payment_log(line: PaymentLog) -> Json:
    """One attempt to charge an invoice."""
    return {
        "paymentLogId": line.id,
        "createdOn": times.in_list(line.created_at),
        "gatewayId": 1,
        "gatewayName": "Billsby sandbox gateway",
        "reference": line.reference,
        "paymentMethod": "Card",
        "status": line.status,
    }


def credit_note_in_list(books: Books, note: CreditNote) -> Json:
    """A line of the company's credit notes; the amount is a string here."""
    customer = books.owner(note)
    return {
        "creditNoteId": note.id,
        "creditNoteUniqueId": note.number,
        "customerId": customer.id,
        "customerUniqueId": customer.uid,
        "customerFirstName": customer.first_name,
        "customerLastName": customer.last_name,
        "customerFullName": customer.full_name,
        "createdOn": times.in_list(note.created_at),
        "amount": str(note.amount),
        "status": books.spelled(note.status),
        "currency": note.currency,
    }


def credit_note_of_customer(books: Books, note: CreditNote) -> Json:
    """A line of one customer's credit notes; its own number is called `invoiceNumber`."""
    return {
        "invoiceId": note.id,
        "createdOn": times.in_list(note.created_at),
        "invoiceNumber": note.number,
        "amount": str(note.amount),
        "currency": note.currency,
        "linkedTransactionsCount": 1,
        "status": books.spelled(note.status),
        "paymentGatewayDisplayName": "Billsby sandbox gateway",
    }
