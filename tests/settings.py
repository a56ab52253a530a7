"""The desk's own settings, made quick and self-contained for tests."""

import atexit
import os
import shutil
import tempfile


def _remove(folder: str, maker: int) -> None:
    # A child that was forked must not take the folder of its parent away.
    if os.getpid() == maker:
        shutil.rmtree(folder, ignore_errors=True)


if "CANCELDESK_DATA" not in os.environ:
    os.environ["CANCELDESK_DATA"] = tempfile.mkdtemp(prefix="canceldesk-tests-")
    atexit.register(_remove, os.environ["CANCELDESK_DATA"], os.getpid())
os.environ.setdefault("CANCELDESK_SECRET_KEY", "only-for-tests")

from canceldesk.settings import *  # noqa: E402, F403 - they read the environment above

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = True
