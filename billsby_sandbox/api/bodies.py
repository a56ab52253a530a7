"""The JSON bodies the API takes, strict where the published API marks a field required."""

from __future__ import annotations

from typing import TypeVar

from flask import request
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from billsby_sandbox.errors import Refused


class Body(BaseModel):
    """A JSON body with Billsby's field names; fields that are not known are let by."""

    model_config = ConfigDict(alias_generator=to_camel, coerce_numbers_to_str=True)


class Address(Body):
    """A billing address."""

    address_line1: str | None = None
    address_line2: str | None = None
    city: str | None = None
    state: str | None = None
    country: str | None = None
    post_code: str | None = None


class NewCustomer(Body):
    """Create a customer without a subscription; the address is not nested here."""

    first_name: str
    last_name: str
    email: str
    address_line1: str
    address_line2: str | None = None
    city: str
    state: str
    country: str
    post_code: str


class ChangedCustomer(Body):
    """Update a customer."""

    first_name: str
    last_name: str
    email: str
    billing_address: Address
    phone_number: str | None = None
    phone_number_dial_code: str | None = None
    phone_number_dial_country: str | None = None


class NewSubscription(Body):
    """Add a subscription to a customer."""

    cycle_id: int
    units: int = 1


class NewCustomerAndSubscription(Body):
    """Create a customer and a subscription in one call; `Units` has a capital here."""

    first_name: str
    last_name: str
    email: str
    cycle_id: int
    units: int = Field(alias="Units")
    address: Address
    card_details: dict[str, object]
    phone_number: str | None = None
    phone_number_dial_code: str | None = None
    phone_number_dial_country: str | None = None


class ChangedPlan(Body):
    """Change the plan."""

    customer_unique_id: str
    plan_id: int
    cycle_id: int
    plan_change_type: int = 1
    units: int | None = None
    issue_refund: bool = False


class ChangedRenewal(Body):
    """Set the next renewal date, or pause until it."""

    new_renewal_date: str | None = None
    pause_subscription: bool | None = None


class Refund(Body):
    """Give back part or all of an invoice."""

    invoice_number: str
    amount: int


class OneTimeCharge(Body):
    """Charge once, or credit with a negative amount."""

    amount: int
    currency_code: str
    description: str


AnyBody = TypeVar("AnyBody", bound=Body)


def sent(body: type[AnyBody]) -> AnyBody:
    """The body of the call at hand; Refused when it is not what the call takes."""
    try:
        return body.model_validate_json(request.get_data())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Refused(f"{where}: {first['msg']}") from error
