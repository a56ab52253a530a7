"""The room stands alone."""

import subprocess
import sys


def test_the_client_is_imported_without_django_or_any_other_room():
    seen = subprocess.run(
        [sys.executable, "-c", "import sys, canceldesk.billsby; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    ours = {name for name in seen if name.startswith("canceldesk.")}
    assert "django" not in seen
    assert "canceldesk.billsby" in ours
    assert {name.split(".")[1] for name in ours} == {"billsby", "go_ahead"}
