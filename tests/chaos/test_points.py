from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tests.chaos.points import Points, Trigger, befallen, passings


def in_a_child(kept: Path, triggers: dict[str, Trigger], names: list[str]) -> int:
    """How a process ended that passed points; as `os.waitstatus_to_exitcode` tells."""
    child = os.fork()
    if child == 0:
        points = Points(kept, triggers)
        for name in names:
            points.passed(name)
        os._exit(0)
    _, status = os.waitpid(child, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return 1000
    return os.waitstatus_to_exitcode(status)


def test_a_process_dies_at_the_nth_passing_of_its_point_and_leaves_word_of_it(tmp_path):
    kept = tmp_path / "points.txt"
    code = in_a_child(kept, {"b": Trigger(nth=2)}, ["a", "b", "a", "b", "a"])
    assert code == -signal.SIGKILL
    assert befallen(kept) == "b"
    assert passings([kept]) == {"a": 2, "b": 2}


def test_a_process_may_be_stopped_instead(tmp_path):
    kept = tmp_path / "points.txt"
    assert in_a_child(kept, {"a": Trigger(do="stop")}, ["a"]) == 1000
    assert "!stop a" in kept.read_text()
    assert befallen(kept) == ""


def test_nothing_befalls_a_process_that_does_not_come_so_far(tmp_path):
    kept = tmp_path / "points.txt"
    assert in_a_child(kept, {"b": Trigger(nth=3)}, ["a", "b", "b"]) == 0
    assert befallen(kept) == ""
    assert befallen(tmp_path / "no-such-file") == ""


@given(st.lists(st.sampled_from("abc")))
def test_every_passing_is_counted(tmp_path_factory, names):
    kept = tmp_path_factory.mktemp("points") / "points.txt"
    points = Points(kept, {})
    for name in names:
        points.passed(name)
    assert sorted(passings([kept]).elements()) == sorted(names)


def test_a_point_stands_before_and_after_what_it_is_put_around(tmp_path):
    class Owner:
        def act(self, value: int) -> int:
            return value + 1

    points = Points(tmp_path / "points.txt", {})
    points.around(Owner, "act", "acting")
    assert Owner().act(1) == 2
    assert list(passings([tmp_path / "points.txt"])) == ["before acting", "after acting"]


def test_everything_that_is_hooked_is_still_there():
    code = (
        "import django; django.setup()\n"
        "from pathlib import Path\n"
        "from tests.chaos import hooks\n"
        "from tests.chaos.points import Points\n"
        "points = Points(Path('/dev/null'), {})\n"
        "for kind in ('worker', 'web', 'billsby'): hooks.hang_in(points, kind)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
