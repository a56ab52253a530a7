"""Django's settings, all of them derived from `configuration.definitions`."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from csp.constants import NONE, SELF

from canceldesk.configuration import reading

BASE = Path(__file__).resolve().parent
DATA = Path(reading.text("DATA")).expanduser().resolve()
# Whatever the database and the secret key: stylesheets, locks and copies go there, too.
DATA.mkdir(parents=True, exist_ok=True)


# Connecting anew for every pass costs as much as a pass's queries.
CONNECTION_SECONDS = 60


def _secret_key() -> str:
    given = reading.text("SECRET_KEY")
    if given:
        return given
    kept = DATA / "secret-key"
    try:
        with kept.open("x", encoding="ascii") as file:
            kept.chmod(0o600)
            file.write(secrets.token_urlsafe(48))
    except FileExistsError:
        pass
    return kept.read_text(encoding="ascii")


def _database(url: str) -> dict[str, Any]:
    if not url:
        return {
            "ENGINE": "canceldesk.sqlite_in_turns",
            "NAME": str(DATA / "canceldesk.sqlite3"),
            "CONN_MAX_AGE": CONNECTION_SECONDS,
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                # As many as a closing asks for. With Python's 128, each of thirty connections
                # filled up with savepoints' names, of which none comes twice.
                "cached_statements": 64,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
            },
        }
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": CONNECTION_SECONDS,
        "CONN_HEALTH_CHECKS": True,  # the server may have been restarted meanwhile
        "OPTIONS": {
            # A pass asks the same dozens of questions for every case; prepared, they cost the
            # server much less. Django prepares nothing by itself.
            "server_side_binding": True,
            "prepare_threshold": 3,
            **dict(parse_qsl(parts.query)),
        },
    }


def _cache(url: str) -> dict[str, Any]:
    """Where allauth keeps its limits against guessing and the marks of used one-time codes."""
    if not url:
        # One process serves the pages. More than Django's 300, lest a few strangers with many
        # addresses push out what is remembered of one another.
        return {
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            "OPTIONS": {"MAX_ENTRIES": 10_000},
        }
    return {
        # Any number of processes serve pages: each with a memory of its own would give a stranger
        # as many times the guesses, and let a used code in once more.
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "accounts_signinmark",
        # From so many on, what has run out is thrown away. Django would then throw away one in
        # CULL_FREQUENCY of those in force, too: of any number that fits a table, that is none.
        "OPTIONS": {"MAX_ENTRIES": 1000, "CULL_FREQUENCY": sys.maxsize},
    }


SECRET_KEY = _secret_key()
DEBUG = False
PUBLIC_URL = reading.text("PUBLIC_URL").rstrip("/")
ALLOWED_HOSTS = [name.strip() for name in reading.text("HOSTS").split(",") if name.strip()]
if PUBLIC_URL:
    ALLOWED_HOSTS.append(urlsplit(PUBLIC_URL).hostname or "")
    CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

INSTALLED_APPS = [
    "canceldesk.accounts",
    "canceldesk.configuration",
    "canceldesk.clients",
    "canceldesk.cases",
    "canceldesk.retention",
    "canceldesk.closing",
    "canceldesk.web",
    "whitenoise.runserver_nostatic",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "csp",
    "django_htmx",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "canceldesk.web.middleware.CompanyTimeMiddleware",
    "canceldesk.web.middleware.FragmentMiddleware",
    "canceldesk.web.middleware.SignedOutMiddleware",
    "canceldesk.web.middleware.OneTimePasswordMiddleware",
    "canceldesk.web.middleware.NotAllowedMiddleware",
]

ROOT_URLCONF = "canceldesk.web.urls"
WSGI_APPLICATION = "canceldesk.web.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE / "web" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "canceldesk.web.context.desk",
            ],
        },
    },
]

DATABASES = {"default": _database(reading.text("DATABASE_URL"))}
CACHES = {"default": _cache(reading.text("DATABASE_URL"))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# People
AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
ACCOUNT_ADAPTER = "canceldesk.accounts.adapter.DeskAccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = False
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "today"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
MFA_ADAPTER = "canceldesk.accounts.adapter.DeskMFAAdapter"
MFA_ALLOW_UNVERIFIED_EMAIL = True  # an admin typed the address; nobody signs up with another's
MFA_TOTP_TOLERANCE = 1  # a phone's clock may be half a minute off
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Cancel Desk"

# Pages
LANGUAGE_CODE = "en-us"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"
EMAIL_BACKEND = "canceldesk.messages.smtp.Backend"

STATIC_URL = "static/"
STATIC_ROOT = DATA / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    }
}
CSRF_FAILURE_VIEW = "canceldesk.web.views.errors.stale_form"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 60 * 60 * 12
if PUBLIC_URL.startswith("https://"):
    SESSION_COOKIE_SECURE = True
    CSRF_COOKIE_SECURE = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 60 * 60 * 24 * 30
