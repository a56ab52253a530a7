"""What Billsby leaves undocumented (billsby.md section 10), each settable either way.

A quirk is kept as text. Yes/no quirks take `yes` and `no`; numbers take whole numbers from 0.
"""

from __future__ import annotations

from dataclasses import dataclass

from billsby_sandbox.errors import UnknownQuirk
from billsby_sandbox.words import PAUSED_SHOWN

YES_NO = ("yes", "no")


@dataclass(frozen=True)
class Quirk:
    """One open question. `values` is empty for a number."""

    name: str
    meaning: str
    default: str
    values: tuple[str, ...] = YES_NO


def _number(name: str, meaning: str, default: int) -> Quirk:
    return Quirk(name, meaning, str(default), values=())


REGISTRY: dict[str, Quirk] = {
    quirk.name: quirk
    for quirk in (
        Quirk(
            "status_spelling",
            "How the API writes states of two words: WrittenOff, Written off, writtenoff",
            "joined",
            ("joined", "spaced", "lower"),
        ),
        Quirk(
            "paused_shown",
            "What the API calls a paused subscription: Paused, Active (with the far date), OnHold",
            "paused",
            tuple(PAUSED_SHOWN),
        ),
        Quirk(
            "suspend_offered",
            "Whether 'Update status' offers Suspended for an active subscription",
            "yes",
        ),
        Quirk(
            "suspend_offered_while_paused",
            "Whether 'Update status' offers Suspended for a paused subscription",
            "yes",
        ),
        Quirk(
            "suspend_blocked_by_unpaid",
            "Whether Suspended is refused while invoices that block a cancellation stand",
            "yes",
        ),
        Quirk(
            "pause_lifted_by_false",
            "Whether pauseSubscription false lifts a pause (otherwise only the date moves)",
            "yes",
        ),
        Quirk(
            "pause_blocked_by_unpaid",
            "Whether a pause is refused (400) while unpaid invoices stand",
            "no",
        ),
        Quirk(
            "renewaldate_while_suspended",
            "renewaldate on a suspended subscription: the status stays, it is refused, or obeyed",
            "status_kept",
            ("status_kept", "refused", "obeyed"),
        ),
        _number(
            "max_renewal_days",
            "The farthest newRenewalDate in days from now; 0: no limit",
            0,
        ),
        Quirk(
            "beyond_max_renewal",
            "A newRenewalDate beyond that: it is refused, or the farthest one is taken instead",
            "refused",
            ("refused", "shortened"),
        ),
        Quirk(
            "api_cancel_blocked",
            "How DELETE answers while invoices block: 400 with {}, 409 with words, or not at all",
            "400_empty",
            ("400_empty", "409_message", "not_blocked"),
        ),
        Quirk(
            "api_cancel_refund",
            "Whether DELETE refunds the rest of the paid period",
            "none",
            ("none", "prorated"),
        ),
        Quirk("write_off_pending_allowed", "Whether a Pending invoice can be written off", "yes"),
        Quirk(
            "write_off_scheduled_allowed",
            "Whether a To be written off invoice can be written off by API",
            "yes",
        ),
        Quirk(
            "write_off_repeat",
            "How writing off a written-off invoice answers",
            "success",
            ("success", "400"),
        ),
        Quirk(
            "write_off_triggers_dunning_outcome",
            "What a write-off by API or by hand does to the subscription",
            "none",
            ("none", "suspended", "cancelled"),
        ),
        Quirk(
            "dunning_write_off",
            "What dunning does after the last attempt",
            "by_hand",
            ("by_hand", "immediately", "after_delay"),
        ),
        Quirk(
            "dunning_outcome",
            "What becomes of the subscription when dunning writes an invoice off",
            "suspended",
            ("active", "suspended", "cancelled"),
        ),
        _number("dunning_retry_hours", "Hours between two attempts on an unpaid invoice", 72),
        _number("dunning_max_attempts", "Automatic re-attempts after the first failure", 3),
        _number("dunning_write_off_delay_hours", "Hours a To be written off invoice waits", 48),
        Quirk(
            "dunning_while_suspended",
            "Whether unpaid invoices of a suspended subscription are still re-attempted",
            "no",
        ),
        Quirk(
            "webhooks_for_api_changes",
            "Whether changes made through the API fire webhooks",
            "yes",
        ),
        Quirk(
            "webhooks_for_billing",
            "Whether renewals, payments and dunning fire webhooks",
            "yes",
        ),
        Quirk(
            "webhook_order",
            "In which order waiting webhooks are sent",
            "oldest_first",
            ("oldest_first", "newest_first"),
        ),
        _number("webhook_duplicates", "How many extra copies of each webhook are sent", 0),
        _number("webhook_loss", "Percent of webhooks that are never sent", 0),
        Quirk("search_matches_email", "Whether customers?search= also looks at e-mails", "no"),
        Quirk(
            "invoice_query_matches",
            "What query= of the invoice list looks at",
            "number_and_name",
            ("number_and_name", "number", "nothing"),
        ),
        Quirk(
            "is_active_means",
            "What isActive=true lets through",
            "active",
            ("active", "not_cancelled"),
        ),
        Quirk(
            "paid_total_excludes_offline",
            "Whether totalAmountPaid leaves out invoices paid offline",
            "no",
        ),
        Quirk(
            "paid_total_unit",
            "Whether totalAmountPaid and revenue are hundredths or whole units with decimals",
            "minor",
            ("minor", "major"),
        ),
        Quirk(
            "invoice_detail_status",
            "Whose status the invoice detail shows: the customer's, as documented, or its own",
            "customer",
            ("customer", "invoice"),
        ),
        Quirk(
            "subscription_id_spelling",
            "How the subscription list spells the id",
            "subscriptionUniqueID",
            ("subscriptionUniqueID", "subscriptionUniqueId"),
        ),
        Quirk(
            "suspended_next_billing",
            "Whether a suspended subscription still shows its next billing date",
            "shown",
            ("shown", "empty"),
        ),
        Quirk(
            "event_log_types",
            "How the event log names its types",
            "joined",
            ("joined", "words"),
        ),
        Quirk(
            "error_body",
            "The body of a refusal: {}, JSON with words, or a web page",
            "empty",
            ("empty", "message", "html"),
        ),
        _number("rate_limit", "Calls a second before the API answers 429; 0: no limit", 0),
    )
}


def checked(name: str, value: str | int | bool) -> str:
    """The text kept for a quirk's value; booleans become yes and no.

    Raises UnknownQuirk for a name or value that does not exist.
    """
    quirk = REGISTRY.get(name)
    if quirk is None:
        raise UnknownQuirk(f"There is no quirk called {name!r}.")
    text = ("yes" if value else "no") if isinstance(value, bool) else str(value)
    if quirk.values and text not in quirk.values:
        raise UnknownQuirk(f"{name} takes one of {', '.join(quirk.values)}, not {text!r}.")
    if not quirk.values and not (text.isascii() and text.isdigit()):
        raise UnknownQuirk(f"{name} takes a whole number from 0, not {text!r}.")
    return text
