"""一台设备: what it measures now, the meters before and after it, its verifications; 换表 and 检定 by the dispatcher of its company."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from nuan.operations.devices import DeviceError, exchange_device, record_calibration
from nuan.operations.live import live_now
from nuan.records.accounts.visibility import MAY_OPEN
from nuan.records.audit.models import AuditEntry
from nuan.records.devices.models import Device
from nuan.records.monitoring.models import LiveValue
from nuan.web.forms import AnswerError, actor_of, day_of, needed, refused
from nuan.web.guard import Visit
from nuan.web.live_words import shown
from nuan.web.views.devices import calibration_state
from nuan.web.wording import say

MOST = 50
"""运行参数: points, and verifications, that the page shows at most."""
MOST_EXCHANGES = 20
LARGEST = Decimal(10) ** 12


def _found(request: Visit, pk: int) -> Device:
    rows = request.scope.devices(Device.objects.select_related("gateway__company", "profile"))
    return get_object_or_404(rows, pk=pk)


def _line(device: Device) -> list[Device]:
    """The meters that stood or stand in this place, newest first."""
    newest = device
    for _ in range(MOST_EXCHANGES):
        after = Device.objects.filter(predecessor=newest).first()
        if after is None:
            break
        newest = after
    line = [newest]
    while line[-1].predecessor is not None and len(line) < 2 * MOST_EXCHANGES:
        line.append(line[-1].predecessor)
    return line


def device(request: Visit, pk: int) -> HttpResponse:
    found = _found(request, pk)
    now = live_now(timezone.now())
    colour, word = calibration_state(found, timezone.localdate())
    values = LiveValue.objects.filter(point__place=found.place).select_related("point")
    acts = AuditEntry.objects.filter(act="record_calibration", subject=found.code, details__device=found.pk)
    context: dict[str, Any] = {
        "device": found,
        "colour": colour,
        "word": word,
        "line": _line(found),
        "points": [
            shown(each.point, each, now) for each in values.order_by("point__quantity", "point__position")[:MOST]
        ],
        "verifications": acts.order_by("-id")[:MOST],
        "may_write": request.role in MAY_OPEN["device_exchange"],
        "today": timezone.localdate(),
    }
    return render(request, "web/device.html", context)


def _register(request: Visit, name: str) -> Decimal | None:
    """A counter's reading; left empty it is not known, which is not zero."""
    text = request.POST.get(name, "").strip()
    if not text:
        return None
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = Decimal(-1)
    if not number.is_finite() or not 0 <= number < LARGEST or number != round(number, 3):
        raise AnswerError(say("表底数写成数字,最多三位小数,如 812.5。"))
    return number


def _write(request: Visit, pk: int, write: Callable[[Device], object]) -> HttpResponse:
    if request.method != "POST":
        raise Http404
    found = _found(request, pk)
    try:
        written = write(found)
    except (AnswerError, DeviceError) as error:
        refused(request, error)
        return redirect("device", pk=found.pk)
    messages.success(request, say("已登记。"))
    return redirect("device", pk=written.pk if isinstance(written, Device) else found.pk)


def device_exchange(request: Visit, pk: int) -> HttpResponse:
    def write(found: Device) -> Device:
        if not request.POST.get("sure"):
            raise AnswerError(say("请先勾选已核对:换表登记后不能撤销。"))
        code, on = needed(request, "code", say("新表号")), day_of(request.POST.get("on", ""))
        if len(code) > 60:
            raise AnswerError(say("表号最多 60 个字。"))
        if on > timezone.localdate():
            raise AnswerError(say("日期不能晚于今天。"))
        until = request.POST.get("valid_until", "").strip()
        return exchange_device(
            found.pk, code=code, on=on, actor=actor_of(request), last_register=_register(request, "last"),
            first_register=_register(request, "first"), why=request.POST.get("why", "").strip()[:500],
            valid_until=day_of(until) if until else None,
        )  # fmt: skip

    return _write(request, pk, write)


def device_verified(request: Visit, pk: int) -> HttpResponse:
    def write(found: Device) -> Device:
        on, until = day_of(request.POST.get("on", "")), day_of(request.POST.get("valid_until", ""))
        if on > timezone.localdate():
            raise AnswerError(say("日期不能晚于今天。"))
        return record_calibration(found.pk, on=on, valid_until=until, actor=actor_of(request))

    return _write(request, pk, write)
