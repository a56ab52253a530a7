"""Settings: one page per section, for admins."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from canceldesk import doctor, newlist
from canceldesk.cases.authority import Act, require
from canceldesk.configuration.changing import BadSettingsError, change_settings
from canceldesk.configuration.definitions import Section
from canceldesk.doctor import Examined
from canceldesk.web.requests import signed_in
from canceldesk.web.settings_form import SECTION_LABELS, SectionForm
from canceldesk.workbook.errors import ListError


@login_required
def start(request: HttpRequest) -> HttpResponse:
    """Settings without a section: the first one."""
    return redirect("settings-section", section=Section.COMPANY)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def section(request: HttpRequest, section: str) -> HttpResponse:
    """Show one section, or save it."""
    require(signed_in(request), Act.CHANGE_SETTINGS)
    chosen = _known(section)
    if request.method == "POST":
        return _save(request, chosen)
    return _show(request, chosen, SectionForm(chosen), HTTPStatus.OK)


# What the doctor can examine of a section: read only, nothing is changed or sent.
_EXAMINERS: dict[Section, tuple[Callable[[], list[Examined]], ...]] = {
    Section.BILLSBY: (doctor.check_billsby, doctor.check_webhooks),
    Section.WORKBOOK: (doctor.check_workbook,),
    Section.MAIL: (doctor.check_mail,),
}


@login_required
@require_POST
def check(request: HttpRequest, section: str) -> HttpResponse:
    """Examine what a section's saved settings lead to, and say in words what is wrong."""
    require(signed_in(request), Act.CHANGE_SETTINGS)
    chosen = _known(section)
    examined = [one for examine in _EXAMINERS.get(chosen, ()) for one in examine()]
    missing = newlist.missing() if chosen is Section.WORKBOOK else None
    return render(request, "settings/checked.html", {"examined": examined, "missing": missing})


@login_required
@require_POST
def create_list(request: HttpRequest) -> HttpResponse:
    """Make the workbook that the saved settings name and that is not there."""
    try:
        view = newlist.create_list(by=signed_in(request))
    except ListError as problem:
        messages.error(request, problem.sentence)
    else:
        messages.success(request, f"Made {view.path} with an empty list on the tab “{view.tab}”.")
    return redirect("settings-section", section=Section.WORKBOOK)


def _known(section: str) -> Section:
    if section not in set(SECTION_LABELS):
        raise Http404
    return Section(section)


def _save(request: HttpRequest, chosen: Section) -> HttpResponse:
    form = SectionForm(chosen, request.POST)
    if not form.is_valid():
        return _show(request, chosen, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    try:
        changed = change_settings(form.texts(), by=signed_in(request))
    except BadSettingsError as problems:
        form.explain(problems)
        return _show(request, chosen, form, HTTPStatus.UNPROCESSABLE_ENTITY)
    messages.success(request, "Saved." if changed else "Nothing was different.")
    return redirect("settings-section", section=chosen)


def _show(
    request: HttpRequest, chosen: Section, form: SectionForm, status: HTTPStatus
) -> HttpResponse:
    known = {
        "form": form,
        "section": chosen,
        "sections": SECTION_LABELS.items(),
        "can_check": chosen in _EXAMINERS,
    }
    return render(request, "settings/section.html", known, status=status)
