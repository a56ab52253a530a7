"""The desk's own settings, made quick and self-contained for tests."""

import atexit
import os
import shutil
import tempfile

from tests.databases import URL, on_postgresql, server, worker_database


def _remove(folder: str, maker: int) -> None:
    # A child that was forked must not take the folder of its parent away.
    if os.getpid() == maker:
        shutil.rmtree(folder, ignore_errors=True)


if "CANCELDESK_DATA" not in os.environ:
    os.environ["CANCELDESK_DATA"] = tempfile.mkdtemp(prefix="canceldesk-tests-")
    atexit.register(_remove, os.environ["CANCELDESK_DATA"], os.getpid())
os.environ.setdefault("CANCELDESK_SECRET_KEY", "only-for-tests")
os.environ[URL] = server().url(worker_database()) if on_postgresql() else ""

from canceldesk.settings import *  # noqa: E402, F403 - they read the environment above

if on_postgresql():
    # One and the same for pages and engine, as in production; there is nothing else to save.
    DATABASES["default"]["TEST"] = {"NAME": worker_database()}  # noqa: F405
    # Threads end with their test, and would leave what they kept open to the garbage collector.
    DATABASES["default"]["CONN_MAX_AGE"] = 0  # noqa: F405
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_AUTOREFRESH = True
