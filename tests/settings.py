"""The desk's own settings, made quick and self-contained for tests."""

import os
import tempfile

os.environ.setdefault("CANCELDESK_DATA", tempfile.mkdtemp(prefix="canceldesk-tests-"))
os.environ.setdefault("CANCELDESK_SECRET_KEY", "only-for-tests")

from canceldesk.settings import *  # noqa: F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = True
