"""The door for messages of payment channels: `POST /api/payment-events/<channel>/<company>/`, signed instead of signed in."""

from django.conf import settings
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from nuan.operations.channel_events import LONGEST_BODY, EventError, receive_event
from nuan.records.billing.channels.profile import channel_names


@csrf_exempt
@require_POST
def payment_event(request: HttpRequest, channel: str, company: str) -> JsonResponse:
    """2xx is said after the commit and never before; 404 where no secret is set, so that nobody learns which companies exist."""
    secret = settings.WEBHOOK_SECRETS.get(f"{company}/{channel}", "")
    if not secret or channel not in channel_names():
        return JsonResponse({"detail": "没有这个地址 / no such address"}, status=404)
    if len(request.body) > LONGEST_BODY:
        return JsonResponse({"detail": "消息过长 / too long"}, status=413)
    try:
        event = receive_event(
            company=company, channel=channel, body=request.body, timestamp=request.headers.get("X-Nuan-Timestamp", ""),
            given=request.headers.get("X-Nuan-Signature", ""), secret=secret, now=timezone.now(),
        )  # fmt: skip
    except EventError as error:
        return JsonResponse({"detail": str(error)}, status=error.status)
    return JsonResponse({"event": event.event_id, "outcome": event.outcome})
