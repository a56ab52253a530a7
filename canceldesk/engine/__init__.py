"""Making passes happen: the one place that knows DBOS.

It holds no truth. What is due stands in `Case.next_pass_at`; the engine carries nothing but
case numbers, and everything it holds may be thrown away. Rules, with what they guard against:

* One fixed application version, because DBOS leaves workflows of another version lying.
* An executor id of its own for every process, because DBOS runs the work of "its" id again.
* Only a `Worker` launches an executor. Pages and commands put work into the queue through a
  client.
* A sweep in every worker finds what is due and not yet queued, so that a lost signal, an
  unreachable engine or a dead machine delays a case but never strands it.
* Every pass has a time limit in the engine. When it is over, DBOS lets go of the pass, whoever
  had it, and the sweep can queue the case again; the lease decides who may work on it. What a dead
  process of the same machine had is let go of at once (`take_over`).
* A chore may take long, and only one is done at a time. So it gives signs of life while it is under
  way, and one that has stopped giving them is let go of (`signs`); the clock asks for it again.
"""

from canceldesk.engine.housekeeping import sweep, take_over, tidy
from canceldesk.engine.place import migrate
from canceldesk.engine.processes import executor_id
from canceldesk.engine.queueing import check, enqueue, listen
from canceldesk.engine.work import make_passes, run_due
from canceldesk.engine.worker import Worker

__all__ = [
    "Worker",
    "check",
    "enqueue",
    "executor_id",
    "listen",
    "make_passes",
    "migrate",
    "run_due",
    "sweep",
    "take_over",
    "tidy",
]
