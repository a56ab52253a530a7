"""Every address of the desk's pages."""

from __future__ import annotations

from django.urls import include, path

from canceldesk.web.views import today

urlpatterns = [
    path("", today.page, name="today"),
    path("account/", include("allauth.urls")),
]
