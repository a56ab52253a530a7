"""Customers and subscriptions as Billsby's JSON has them, and the values made of them."""

from typing import Any, Self

from pydantic import Field, model_validator

from .rows import Row
from .scalars import Count, Id, Mapping, Minor, OptionalId, Text, Time, Total, read_id
from .statuses import SubscriptionStatus
from .values import (
    Customer,
    CustomerDetails,
    CustomerSubscription,
    LogEvent,
    Subscription,
    SubscriptionSummary,
)


class CustomerRow(Row):
    """A row of GET customers."""

    customer_unique_id: Id
    first_name: Text = ""
    last_name: Text = ""
    email: Text = ""
    phone_number: Text = ""
    phone_number_dial_code: Text = ""
    status: Text = ""
    created_on: Time = None

    def value(self) -> Customer:
        """Give the customer."""
        return Customer(
            billsby_id=self.customer_unique_id,
            first_name=self.first_name,
            last_name=self.last_name,
            email=self.email,
            phone=self.phone(),
            status=self.status,
            created_on=self.created_on,
        )

    def phone(self) -> str:
        """Give dial code and number as Billsby keeps them, one space between."""
        if not self.phone_number or self.phone_number.startswith("+"):
            return self.phone_number
        return f"{_with_plus(self.phone_number_dial_code)} {self.phone_number}".strip()


def _with_plus(dial_code: str) -> str:
    # The API shows the same code as "+1" and as 1; without its plus it would read as digits of
    # the number.
    return f"+{dial_code}" if dial_code.isdecimal() and dial_code[0] != "0" else dial_code


class CustomerDetailsRow(CustomerRow):
    """The reply of GET customers/{id}."""

    total_amount_paid: Total = None
    company_currency: Text = ""
    additional_email: Text = ""
    card_status: Text = ""

    def value(self) -> CustomerDetails:
        """Give the customer with the totals."""
        return CustomerDetails(
            billsby_id=self.customer_unique_id,
            first_name=self.first_name,
            last_name=self.last_name,
            email=self.email,
            phone=self.phone(),
            status=self.status,
            created_on=self.created_on,
            total_paid_minor=self.total_amount_paid,
            currency=self.company_currency.upper(),
            additional_email=self.additional_email,
            card_status=self.card_status,
        )


class CustomerSubscriptionRow(Row):
    """A row of GET customers/{id}/subscriptions.

    The published example has only ``subscriptionId``, a text there (the unique ID) and an
    integer (an internal number, of no use) in the company's list.
    """

    subscription_unique_id: OptionalId = None
    subscription_id: Any = None
    customer_unique_id: OptionalId = None
    plan_name: Text = ""
    product_name: Text = ""
    status: Text = ""
    currency: Text = ""
    next_billing: Time = None
    created_on: Time = None
    units: Count = None

    @model_validator(mode="after")
    def _has_id(self) -> Self:
        self.billsby_id()
        return self

    def billsby_id(self) -> str:
        """Give the subscription's unique ID, under whichever name it came."""
        return self.subscription_unique_id or read_id(self.subscription_id)

    def value(self) -> CustomerSubscription:
        """Give the subscription."""
        return CustomerSubscription(
            billsby_id=self.billsby_id(),
            plan_name=self.plan_name,
            product_name=self.product_name,
            status=SubscriptionStatus.parse(self.status),
            status_raw=self.status,
            currency=self.currency.upper(),
            next_billing_at=self.next_billing,
            started_at=self.created_on,
            units=self.units,
        )


class SubscriptionSummaryRow(Row):
    """A row of GET subscriptions."""

    subscription_unique_id: Id
    customer_unique_id: Id
    customer_email: Text = ""
    customer_fullname: Text = ""
    plan_name: Text = ""
    product_name: Text = ""
    status: Text = ""
    created_on: Time = None

    def value(self) -> SubscriptionSummary:
        """Give the subscription."""
        return SubscriptionSummary(
            billsby_id=self.subscription_unique_id,
            customer_id=self.customer_unique_id,
            customer_email=self.customer_email,
            customer_name=self.customer_fullname,
            plan_name=self.plan_name,
            product_name=self.product_name,
            status=SubscriptionStatus.parse(self.status),
            status_raw=self.status,
            created_on=self.created_on,
        )


class SubscriptionRow(Row):
    """The reply of GET subscriptions/{id}. Without a status it can't be acted on: refused."""

    subscription_unique_id: Id
    customer_unique_id: Id
    customer_fullname: Text = ""
    customer_email: Text = ""
    status: Id
    plan_name: Text = ""
    plan_id: Count = None
    cycle_id: Count = None
    product_name: Text = ""
    currency: Text = ""
    units: Count = None
    created_on: Time = None
    next_billing_date: Time = None
    next_billing_amount: Minor = None
    contract_minimum_term_end: Time = None
    total_revenue: Total = None

    def value(self) -> Subscription:
        """Give the subscription."""
        return Subscription(
            billsby_id=self.subscription_unique_id,
            customer_id=self.customer_unique_id,
            customer_name=self.customer_fullname,
            customer_email=self.customer_email,
            status=SubscriptionStatus.parse(self.status),
            status_raw=self.status,
            plan_name=self.plan_name,
            plan_id=self.plan_id,
            cycle_id=self.cycle_id,
            product_name=self.product_name,
            currency=self.currency.upper(),
            units=self.units,
            started_at=self.created_on,
            next_billing_at=self.next_billing_date,
            next_billing_minor=self.next_billing_amount,
            contract_minimum_term_end=self.contract_minimum_term_end,
            total_revenue_minor=self.total_revenue,
        )


class LogEventRow(Row):
    """A row of GET subscriptions/{id}/logs."""

    subscription_event_log_id: Text = ""
    type: Text = ""
    created_on: Time = None
    event_data: Mapping = Field(default_factory=dict)

    def value(self) -> LogEvent:
        """Give the event."""
        return LogEvent(
            billsby_id=self.subscription_event_log_id,
            type=self.type,
            created_on=self.created_on,
            data=self.event_data,
        )
