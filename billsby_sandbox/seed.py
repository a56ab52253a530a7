"""A believable small company to practise on: Brightpath, a monthly coaching programme.

The same number gives the same company, told backwards from the company's present. The people and
e-mails are invented; the phone numbers are from the range 555-0100 to 555-0199 kept for fiction.

Clients with a story (the constants below; `SUBSCRIPTION_OF` gives their first subscription):

MARA        Mara Lindqvist, one active subscription of 99.00 a month, nothing owed
OWEN        Owen Castellan, owes one unpaid invoice of 49.00
RUTH        Ruth Okafor, owes one unpaid invoice of 99.00 and has one pending of 99.00
DALE        Dale Whitcombe, owes three unpaid invoices of 149.00
IVY         Ivy Pemberton, two subscriptions: 99.00 and 49.00 a month
JORDAN_A    Jordan Reyes, one active subscription of 79.00, in the programme 14 months
JORDAN_B    Jordan Reyes, somebody else, one active subscription of 149.00, 5 months
SOON        Nora Ashdown, clean, charged next within two days
CLEAN       eight more clients with one active subscription and nothing owed
"""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from billsby_sandbox.company import Company
from billsby_sandbox.names import FIRST_NAMES, LAST_NAMES
from billsby_sandbox.story import Life, Story
from billsby_sandbox.words import SubscriptionStatus

DEFAULT_SEED = 7

MARA = "MARA000001"
OWEN = "OWEN000049"
RUTH = "RUTH000002"
DALE = "DALE000447"
IVY = "IVYP000002"
JORDAN_A = "JORDAN00A1"
JORDAN_B = "JORDAN00B2"
SOON = "NORA000002"
CLEAN = tuple(f"CLEAN0000{number}" for number in range(1, 9))
SUBSCRIPTION_OF = {
    uid: f"SUB{uid[:4]}{uid[-3:]}"
    for uid in (MARA, OWEN, RUTH, DALE, IVY, JORDAN_A, JORDAN_B, SOON, *CLEAN)
}


def fill(company: Company, number: int = DEFAULT_SEED) -> None:
    """Lay out the company's past up to its present. No webhook tells of it."""
    rng = random.Random(number)  # noqa: S311 - no secret, the same each time
    with company.transaction() as books:
        Story(books, rng, [*STORY_LIVES, *_background(rng)]).tell()


def _story(
    uid: str,
    first_name: str,
    last_name: str,
    cycle: str,
    *,
    months: int,
    next_in_days: float,
    **fate: Any,  # noqa: ANN401 - fields of Life
) -> Life:
    return Life(
        first_name,
        last_name,
        cycle,
        months,
        next_in_days,
        uid=uid,
        subscription_uid=SUBSCRIPTION_OF[uid],
        **fate,
    )


STORY_LIVES = (
    _story(MARA, "Mara", "Lindqvist", "standard", months=11, next_in_days=12),
    _story(OWEN, "Owen", "Castellan", "monitoring", months=7, next_in_days=21, bad_card_renewals=1),
    _story(
        RUTH,
        "Ruth",
        "Okafor",
        "standard",
        months=9,
        next_in_days=16,
        bad_card_renewals=1,
        pending=True,
    ),
    _story(DALE, "Dale", "Whitcombe", "premium", months=13, next_in_days=9, bad_card_renewals=3),
    _story(
        IVY, "Ivy", "Pemberton", "standard", months=18, next_in_days=14, second_cycle="monitoring"
    ),
    _story(JORDAN_A, "Jordan", "Reyes", "basic", months=14, next_in_days=8),
    _story(JORDAN_B, "Jordan", "Reyes", "premium", months=5, next_in_days=25),
    _story(SOON, "Nora", "Ashdown", "standard", months=6, next_in_days=1.6),
    _story(CLEAN[0], "Clara", "Winslow", "standard", months=4, next_in_days=10),
    _story(CLEAN[1], "Hugo", "Marchetti", "premium", months=8, next_in_days=13),
    _story(CLEAN[2], "Petra", "Novotny", "basic", months=15, next_in_days=17),
    _story(CLEAN[3], "Silas", "Greenway", "standard", months=22, next_in_days=19),
    _story(CLEAN[4], "Tessa", "Abernathy", "premium", months=3, next_in_days=23),
    _story(CLEAN[5], "Leon", "Vasquez", "business", months=10, next_in_days=24),
    _story(CLEAN[6], "Wilma", "Oduya", "standard", months=27, next_in_days=27),
    _story(CLEAN[7], "Arthur", "Kingsley", "basic", months=6, next_in_days=27.5),
)

FATES: tuple[dict[str, Any], ...] = (
    *({"bad_card_renewals": 1, "next_in_days": 15 + 2 * n} for n in range(5)),
    *({"pending": True} for _ in range(3)),
    *(
        {"bad_card_renewals": 1, "scheduled_write_off": True, "next_in_days": 23 + n}
        for n in range(2)
    ),
    *({"paid_offline": True, "months": 6 + n} for n in range(4)),
    *({"refunded": True} for _ in range(4)),
    *({"second_cycle": "monitoring"} for _ in range(5)),
    *({"trial": True, "next_in_days": 1.5 + 2 * n} for n in range(4)),
    *(
        {"ending": SubscriptionStatus.SUSPENDED, "ended_days_ago": 20 + 25 * n, "months": 9 + n}
        for n in range(8)
    ),
    *(
        {"ending": SubscriptionStatus.CANCELLED, "ended_days_ago": 15 + 40 * n, "months": 9 + n}
        for n in range(4)
    ),
    *({"ending": SubscriptionStatus.PAUSED, "ended_days_ago": 4} for _ in range(2)),
    {"cycle": "weekly", "months": 5, "next_in_days": 4},
    {"cycle": "quarterly", "months": 12},
    *({"next_in_days": 0.4 + 0.9 * n} for n in range(3)),
    *({} for _ in range(2)),
)
"""What happens to the clients without a story, one entry for each of them."""


def _background(rng: random.Random) -> list[Life]:
    names = [(first, last) for first in FIRST_NAMES for last in LAST_NAMES]
    return [
        replace(
            Life(
                first,
                last,
                rng.choice(("basic", "standard", "standard", "premium", "business")),
                rng.randint(3, 30),
                rng.uniform(3.5, 27.5),
            ),
            **fate,
        )
        for (first, last), fate in zip(rng.sample(names, len(FATES)), FATES, strict=True)
    ]
