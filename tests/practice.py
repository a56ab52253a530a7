"""The practice Billsby in the same process, as the desk meets it."""

from __future__ import annotations

from billsby_sandbox.app import create_app
from billsby_sandbox.company import Company
from billsby_sandbox.transport import InProcessTransport
from canceldesk.billsby.client import HttpBillsby


def billsby_of(company: Company, *, key: str, domain: str = "acme") -> HttpBillsby:
    """The desk's own client of a practice company: no network, no limit on its pace, no waiting."""
    return HttpBillsby(
        base_url="http://billsby.test/api/v1/rest/core",
        company_domain=domain,
        api_key=key,
        rate_per_second=1_000_000,
        transport=InProcessTransport(create_app(company)),
        sleep=lambda seconds: None,
    )
