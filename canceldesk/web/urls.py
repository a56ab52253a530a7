"""Every address of the desk's pages."""

from __future__ import annotations

from django.urls import include, path

from canceldesk.web.views import (
    case,
    clients,
    hooks,
    new_request,
    retention,
    settings,
    the_list,
    today,
    users,
)

urlpatterns = [
    path("", today.page, name="today"),
    path("today/live/", today.live, name="today-live"),
    path("today/found/", today.found_wrong, name="found-wrong"),
    path("cases/<int:pk>/", case.page, name="case"),
    path("cases/<int:pk>/live/", case.live, name="case-live"),
    path("cases/<int:pk>/<slug:action>/", case.act, name="case-act"),
    path("retention/", retention.page, name="retention-queue"),
    path("retention/live/", retention.live, name="retention-live"),
    path("hooks/billsby", hooks.billsby, name="billsby-hook"),
    path("account/", include("canceldesk.web.account_urls")),
    path("new/", new_request.page, name="new-request"),
    path("new/search/", new_request.results, name="new-request-search"),
    path("new/look-up/", new_request.look_up, name="new-request-look-up"),
    path("new/<int:pk>/", new_request.panel, name="new-request-client"),
    path("clients/", clients.page, name="clients"),
    path("clients/<int:pk>/", clients.one, name="client"),
    path("clients/<int:pk>/read/", clients.read, name="client-read"),
    path("list/", the_list.page, name="the-list"),
    path("list/state/", the_list.state, name="the-list-state"),
    path("list/check/", the_list.check, name="the-list-check"),
    path("settings/", settings.start, name="settings"),
    path("settings/users/", users.page, name="settings-users"),
    path("settings/users/new/", users.new, name="settings-user-new"),
    path("settings/users/<int:pk>/", users.one, name="settings-user"),
    path("settings/users/<int:pk>/role/", users.role, name="settings-user-role"),
    path("settings/users/<int:pk>/disable/", users.disable, name="settings-user-disable"),
    path("settings/users/<int:pk>/enable/", users.enable, name="settings-user-enable"),
    path(
        "settings/users/<int:pk>/password/",
        users.one_time_password,
        name="settings-user-password",
    ),
    path(
        "settings/users/<int:pk>/two-step-off/",
        users.two_step_off,
        name="settings-user-two-step-off",
    ),
    path("settings/workbook/create/", settings.create_list, name="settings-create-list"),
    path("settings/<slug:section>/check/", settings.check, name="settings-check"),
    path("settings/<slug:section>/", settings.section, name="settings-section"),
]

handler400 = "canceldesk.web.views.errors.bad_request"
handler403 = "canceldesk.web.views.errors.forbidden"
handler404 = "canceldesk.web.views.errors.not_found"
handler500 = "canceldesk.web.views.errors.fault"
