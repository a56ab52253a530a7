"""The typed client of Billsby's API and the reader of its webhooks. Knows nothing of cases."""

from .client import BASE_URL, HttpBillsby
from .errors import (
    BillsbyError,
    Blocked,
    Busy,
    Nonsense,
    NotAuthorised,
    NotFound,
    Refused,
    Unreachable,
    WebhookForged,
    WebhookUnreadable,
)
from .protocol import Billsby
from .statuses import CreditNoteStatus, InvoiceKind, InvoiceStatus, SubscriptionStatus
from .values import (
    CompanyInvoice,
    CreditNote,
    Customer,
    CustomerDetails,
    CustomerSubscription,
    Invoice,
    InvoiceDetails,
    LogEvent,
    PaymentLog,
    PlanChange,
    Subscription,
    SubscriptionSummary,
)
from .webhooks import WebhookHint, customer_of_invoice, parse_webhook

__all__ = [
    "BASE_URL",
    "Billsby",
    "BillsbyError",
    "Blocked",
    "Busy",
    "CompanyInvoice",
    "CreditNote",
    "CreditNoteStatus",
    "Customer",
    "CustomerDetails",
    "CustomerSubscription",
    "HttpBillsby",
    "Invoice",
    "InvoiceDetails",
    "InvoiceKind",
    "InvoiceStatus",
    "LogEvent",
    "Nonsense",
    "NotAuthorised",
    "NotFound",
    "PaymentLog",
    "PlanChange",
    "Refused",
    "Subscription",
    "SubscriptionStatus",
    "SubscriptionSummary",
    "Unreachable",
    "WebhookForged",
    "WebhookHint",
    "WebhookUnreadable",
    "customer_of_invoice",
    "parse_webhook",
]
