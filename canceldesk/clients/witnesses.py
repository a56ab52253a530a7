"""Whether it is the company's own Billsby that answers. One that finds nothing of anybody (a
mistyped company domain, another company's API key, a gateway that lost its way for a minute) says
404 about each client, as it does of one who was deleted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from canceldesk.billsby import Billsby, Customer, Nonsense, NotFound
from canceldesk.clients.models import Client

# One or two of them may have been deleted since the last refresh.
MOST_ASKED = 3
# Whoever tries the desk out may know a few, and delete them all before the real ones come.
FEW = 5
_WHAT_NOW = (
    "Ask an admin to check the company domain and the API key in the settings: they may be another "
    "company's."
)


def knows(billsby: Billsby, client_id: str) -> bool:
    """Whether Billsby finds a client. Raises BillsbyError."""
    try:
        billsby.customer(client_id)
    except NotFound:
        return False
    return True


def check_another(billsby: Billsby, client_id: str) -> None:
    """Have Billsby find another client: of those whom the desk has known longest, one at least.

    Raises BillsbyError; Nonsense when it finds none of them.
    """
    known = Client.objects.filter(gone_at=None).exclude(billsby_id=client_id)
    others = known.order_by("pk").values_list("billsby_id", flat=True)[:MOST_ASKED]
    if not any(knows(billsby, other) for other in others):
        raise Nonsense(
            f"Billsby finds neither {client_id} nor any other client whom the desk knows, so "
            f"nothing was believed or changed. {_WHAT_NOW}"
        )


def of_this_company(customers: Iterable[Customer], known: Collection[str]) -> Iterator[Customer]:
    """The customers that Billsby lists, none before one whom the desk knows has come.

    known: the Billsby IDs of the desk's clients. Raises Nonsense when all of them are strangers.
    """
    coming = iter(customers)
    strangers: list[Customer] = []
    for customer in coming:
        if customer.billsby_id in known:
            yield from strangers
            yield customer
            yield from coming
            return
        strangers.append(customer)
    if len(known) >= FEW:
        raise Nonsense(
            f"Billsby lists none of the {len(known)} clients whom the desk knows, so nothing was "
            f"believed or changed. {_WHAT_NOW}"
        )
    yield from strangers
