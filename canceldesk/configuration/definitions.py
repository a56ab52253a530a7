"""Every setting there is: its name, what it means, what it is when nobody says otherwise.

A setting is looked up in this order: the environment (`CANCELDESK_<NAME>`), the settings
file, what an admin saved on the Settings page (only those with a `section`), the default.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a setting's text is understood."""

    TEXT = "text"
    SECRET = "secret"  # noqa: S105 - the name of a kind, not a secret
    WHOLE = "whole"
    NUMBER = "number"
    YES_NO = "yes_no"
    MONEY = "money"
    CHOICE = "choice"


class Section(StrEnum):
    """Where the Settings page shows a setting; process settings are not on the page."""

    PROCESS = "process"
    COMPANY = "company"
    BILLSBY = "billsby"
    WORKBOOK = "workbook"
    POLICY = "policy"
    MAIL = "mail"


@dataclass(frozen=True)
class Setting:
    """One setting. `default` is text in the same form a person would write it."""

    name: str
    label: str
    kind: Kind
    default: str
    help: str
    section: Section
    choices: tuple[tuple[str, str], ...] = ()
    least: float | None = None
    most: float | None = None

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"CANCELDESK_{self.name}"

    @property
    def on_page(self) -> bool:
        """Whether an admin may change it on the Settings page."""
        return self.section is not Section.PROCESS


_P, _C, _B, _W, _POL, _M = (
    Section.PROCESS,
    Section.COMPANY,
    Section.BILLSBY,
    Section.WORKBOOK,
    Section.POLICY,
    Section.MAIL,
)

SETTINGS: tuple[Setting, ...] = (
    # What the process needs before there is a database.
    Setting(
        "DATA",
        "Data folder",
        Kind.TEXT,
        "data",
        "Folder for the embedded database, the secret key and backups.",
        _P,
    ),
    Setting(
        "DATABASE_URL",
        "Database",
        Kind.SECRET,
        "",
        "postgresql://user:password@host/name; empty means SQLite in the data folder.",
        _P,
    ),
    Setting(
        "SECRET_KEY",
        "Secret key",
        Kind.SECRET,
        "",
        "Signs sessions and encrypts stored secrets. Empty means one is made on first start "
        "and kept in the data folder.",
        _P,
    ),
    Setting(
        "HOSTS",
        "Host names",
        Kind.TEXT,
        "localhost,127.0.0.1,[::1]",
        "Comma-separated host names the pages answer to.",
        _P,
    ),
    Setting(
        "PUBLIC_URL",
        "Public address",
        Kind.TEXT,
        "",
        "The https:// address people use; turns on secure cookies. Empty for this machine only.",
        _P,
    ),
    Setting(
        "LISTEN",
        "Listen on",
        Kind.TEXT,
        "127.0.0.1:8000",
        "Address and port the pages are served on.",
        _P,
    ),
    Setting(
        "WORKERS",
        "Passes at once",
        Kind.WHOLE,
        "4",
        "How many cases one worker process works on at the same time.",
        _P,
        least=1,
        most=64,
    ),
    Setting(
        "LOG_FORMAT",
        "Log format",
        Kind.CHOICE,
        "text",
        "How the process writes its log.",
        _P,
        choices=(("text", "For people"), ("json", "For machines")),
    ),
    # Company
    Setting(
        "COMPANY_NAME",
        "Company name",
        Kind.TEXT,
        "Our company",
        "Shown on pages and in messages to clients.",
        _C,
    ),
    Setting(
        "TIME_ZONE",
        "Time zone",
        Kind.TEXT,
        "America/New_York",
        "Dates on pages and on the list are dates in this zone.",
        _C,
    ),
    Setting(
        "PHONE_REGION",
        "Phone country",
        Kind.TEXT,
        "US",
        "Two-letter country used to understand phone numbers written without one.",
        _C,
    ),
    Setting(
        "CURRENCY",
        "Currency",
        Kind.TEXT,
        "USD",
        "Currency of the amounts on the list, as three letters (ISO 4217).",
        _C,
    ),
    # Billsby
    Setting(
        "BILLSBY_URL",
        "Billsby API address",
        Kind.TEXT,
        "https://public.billsby.com/api/v1/rest/core",
        "Leave as it is for the real Billsby.",
        _B,
    ),
    Setting(
        "BILLSBY_DOMAIN",
        "Company domain",
        Kind.TEXT,
        "",
        "The first part of your Billsby address: in widgets.billsby.com it is widgets.",
        _B,
    ),
    Setting(
        "BILLSBY_API_KEY",
        "API key",
        Kind.SECRET,
        "",
        "From Billsby: Settings → Configuration → API keys and webhooks.",
        _B,
    ),
    Setting(
        "BILLSBY_WEBHOOK_SECRET",
        "Webhook secret",
        Kind.SECRET,
        "",
        "The Secret key you typed beside the webhook address in Billsby. Empty turns the "
        "webhook address off; the desk then finds changes by asking.",
        _B,
    ),
    Setting(
        "BILLSBY_PANEL_URL",
        "Control panel address",
        Kind.TEXT,
        "https://app.billsby.com",
        "Where the buttons that open Billsby lead.",
        _B,
    ),
    Setting(
        "BILLSBY_RATE",
        "Calls per second",
        Kind.NUMBER,
        "4",
        "The desk never asks Billsby more often than this.",
        _B,
        least=0.1,
        most=1000,
    ),
    Setting(
        "SYNC_MINUTES",
        "Refresh clients every (minutes)",
        Kind.WHOLE,
        "15",
        "How often the client search is brought up to date from Billsby.",
        _B,
        least=1,
        most=1440,
    ),
    # Workbook
    Setting(
        "WORKBOOK_PATH",
        "Workbook file",
        Kind.TEXT,
        "",
        "Full path of the shared Excel workbook (.xlsx or .xlsm) that holds the list. Is it in "
        "OneDrive or SharePoint: its link (Share → Copy link), or its address there.",
        _W,
    ),
    Setting(
        "WORKBOOK_TAB",
        "Tab",
        Kind.TEXT,
        "",
        "Name of the cancellation tab. Empty: the desk finds it by its name.",
        _W,
    ),
    Setting(
        "WORKBOOK_HEADINGS",
        "Headings",
        Kind.TEXT,
        "",
        "Only if the desk cannot find a column: name=Client; phone=Mobile no; "
        "cancelled_on=Left on; collected=Paid; months=Tenure; reason=Why; reference=Case",
        _W,
    ),
    Setting(
        "WORKBOOK_FILL",
        "Columns of your own",
        Kind.TEXT,
        "",
        "What each new row gets in columns that the desk does not know, by heading: "
        "Status=Cancelled; Entered by=Cancel Desk. Other columns stay empty, or get their "
        "table's formula.",
        _W,
    ),
    Setting(
        "WORKBOOK_BACKUPS",
        "Earlier versions kept",
        Kind.WHOLE,
        "5",
        "How many earlier versions of the workbook the desk keeps in a hidden folder beside it, "
        "one for each time it wrote. 0 keeps none.",
        _W,
        least=0,
        most=1000,
    ),
    Setting(
        "MICROSOFT_TENANT",
        "Microsoft directory (tenant)",
        Kind.TEXT,
        "",
        "Only for a workbook in OneDrive or SharePoint: the ID or domain of the company's "
        "directory.",
        _W,
    ),
    Setting(
        "MICROSOFT_CLIENT_ID",
        "Application (client) ID",
        Kind.TEXT,
        "",
        "Only for a workbook in OneDrive or SharePoint: the ID of the app registered for the desk.",
        _W,
    ),
    Setting(
        "MICROSOFT_CLIENT_SECRET",
        "Client secret",
        Kind.SECRET,
        "",
        "The app's secret. Empty: the desk acts for whoever signed in with `canceldesk list "
        "sign-in`.",
        _W,
    ),
    # Policy
    Setting(
        "STOP_BY",
        "How a service is stopped",
        Kind.CHOICE,
        "suspend",
        "suspend: a person sets Suspended in Billsby and the desk proves it. "
        "pause: the desk's own hold counts as the stop and is kept renewed.",
        _POL,
        choices=(("suspend", "Set to Suspended in Billsby"), ("pause", "Paused by the desk")),
    ),
    Setting(
        "HOLD_FIRST",
        "Hold billing while people work",
        Kind.YES_NO,
        "yes",
        "Pauses the next charge through Billsby's API until the case has ended.",
        _POL,
    ),
    Setting(
        "HOLD_BEFORE_CHARGE_DAYS",
        "Hold undecided cases before a charge (days)",
        Kind.WHOLE,
        "3",
        "A case nobody has decided yet is held when its next charge is this near.",
        _POL,
        least=1,
        most=60,
    ),
    Setting(
        "HOLD_DAYS",
        "Length of a hold (days)",
        Kind.WHOLE,
        "180",
        "How far ahead a hold moves the next charge. It is renewed while it is needed.",
        _POL,
        least=30,
        most=3650,
    ),
    Setting(
        "HOLD_RENEW_DAYS",
        "Renew a hold before it ends (days)",
        Kind.WHOLE,
        "30",
        "A hold that still protects a client is renewed this long before it runs out: "
        "at most half the length of a hold.",
        _POL,
        least=2,
        most=365,
    ),
    Setting(
        "RELEASE_MINUTES",
        "Release for a click (minutes)",
        Kind.WHOLE,
        "15",
        "How long the pause is lifted when Billsby does not let a paused service be "
        "suspended. The next charge stays far away meanwhile.",
        _POL,
        least=2,
        most=240,
    ),
    Setting(
        "AGENT_WRITE_OFF_LIMIT",
        "Write-off limit for agents",
        Kind.MONEY,
        "100.00",
        "An agent may approve writing off invoices up to this total per case; "
        "above it a manager must.",
        _POL,
        least=0,
    ),
    Setting(
        "MONTHS_COUNTED",
        "Months in the program",
        Kind.CHOICE,
        "whole",
        "How months are counted for the list.",
        _POL,
        choices=(
            ("whole", "Whole months from start to cancellation"),
            ("started", "Months begun, the running one included"),
            ("paid", "Number of paid renewals"),
        ),
    ),
    Setting(
        "WATCH_BILLING_DATES",
        "Watch through billing dates",
        Kind.WHOLE,
        "2",
        "After closing, the desk checks through this many billing dates that nothing was charged.",
        _POL,
        least=2,
        most=24,
    ),
    Setting(
        "POLL_SECONDS",
        "Look at Billsby again every (seconds)",
        Kind.WHOLE,
        "30",
        "While a case waits for a change in Billsby.",
        _POL,
        least=1,
        most=3600,
    ),
    # Mail to clients
    Setting(
        "CONFIRM_BY_EMAIL",
        "Confirm to the client by e-mail",
        Kind.YES_NO,
        "no",
        "When a case has closed, tell the client by e-mail.",
        _M,
    ),
    Setting("MAIL_FROM", "Sender", Kind.TEXT, "", "Sender address of e-mails to clients.", _M),
    Setting(
        "MAIL_HOST",
        "Mail server",
        Kind.TEXT,
        "",
        "Host name of the SMTP server; empty means no e-mail is sent.",
        _M,
    ),
    Setting(
        "MAIL_PORT", "Mail server port", Kind.WHOLE, "587", "Usually 587.", _M, least=1, most=65535
    ),
    Setting("MAIL_USER", "Mail user", Kind.TEXT, "", "Sign-in name at the mail server.", _M),
    Setting("MAIL_PASSWORD", "Mail password", Kind.SECRET, "", "Password at the mail server.", _M),
    Setting(
        "MAIL_TLS",
        "Mail encryption",
        Kind.CHOICE,
        "starttls",
        "How the connection to the mail server is protected.",
        _M,
        choices=(("starttls", "STARTTLS"), ("tls", "TLS"), ("none", "None")),
    ),
)

BY_NAME: dict[str, Setting] = {setting.name: setting for setting in SETTINGS}
