"""Where Billsby's webhooks arrive. What they say is a hint to look again, never a fact."""

from __future__ import annotations

from http import HTTPStatus

from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from canceldesk.billsby.errors import WebhookForged, WebhookUnreadable
from canceldesk.billsby.webhooks import WebhookHint, parse_webhook
from canceldesk.cases import log, waking
from canceldesk.cases.log import Verb
from canceldesk.cases.models import OPEN_STATES, Case, LogEntry
from canceldesk.closing.models import Watch
from canceldesk.configuration import services as configuration

LARGEST = 64 * 1024


@csrf_exempt
@require_POST
def billsby(request: HttpRequest) -> HttpResponse:
    """Wake the cases a webhook is about.

    404 while no secret is set and for a wrong one, 413 above 64 kB, 400 for what cannot be read.
    """
    secret = configuration.text("BILLSBY_WEBHOOK_SECRET")
    body = request.read(LARGEST + 1)
    try:
        hint = parse_webhook(request.headers, body, secret)
    except WebhookForged:
        raise Http404 from None
    except WebhookUnreadable:
        is_long = len(body) > LARGEST
        return HttpResponse(
            status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE if is_long else HTTPStatus.BAD_REQUEST
        )
    for case in cases_about(hint):
        _wake(case, hint)
    return HttpResponse(status=HTTPStatus.OK)


def cases_about(hint: WebhookHint) -> QuerySet[Case]:
    """Open and watched cases of the client or subscription a webhook names."""
    about = Q(client__billsby_id=hint.customer_id or "") | Q(
        client__subscriptions__billsby_id=hint.subscription_id or ""
    )
    at_work = Q(state__in=OPEN_STATES) | Q(watch__result=Watch.Result.WATCHING)
    return Case.objects.filter(about, at_work).select_related("client").distinct()


def _wake(case: Case, hint: WebhookHint) -> None:
    with transaction.atomic():
        heard = LogEntry.objects.filter(
            case=case, verb=Verb.WEBHOOK_RECEIVED, data__id=hint.id
        ).exists()
        if not heard:
            log.record(
                Verb.WEBHOOK_RECEIVED,
                case=case,
                id=hint.id,
                type=hint.type,
                said=hint.status_raw,
                invoice=hint.invoice_number,
            )
        waking.wake(case.pk)
