"""What a desk has before the first request: its tables, its people, its copy of Billsby.

Runs in a child of the nursery, in the desk's own surroundings.
"""

from __future__ import annotations

import json

from tests.chaos.interfaces import Person


def lay_out(arguments: list[str]) -> None:
    """Migrate, add the people of `arguments[0]` (JSON), and read Billsby. Raises AssertionError
    when Billsby could not be read.
    """
    from canceldesk import outside, serving
    from canceldesk.accounts.models import User
    from canceldesk.clients.refreshing import refresh_all

    serving.migrate()
    serving.collect_static()
    for person in [Person(**one) for one in json.loads(arguments[0])]:
        User.objects.create_user(person.email, person.password, name=person.name, role=person.role)
    run = refresh_all(outside.billsby())
    assert not run.problem, run.problem
