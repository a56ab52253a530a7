"""What every page knows."""

from __future__ import annotations

from django.http import HttpRequest

from canceldesk.configuration import services as configuration


def desk(request: HttpRequest) -> dict[str, object]:
    """The company's name, for the frame around every page."""
    return {"company_name": configuration.text("COMPANY_NAME")}
