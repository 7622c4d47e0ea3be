"""设备登记: gateways and what hangs behind them, when they were last heard, and which heat meters are due for verification."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from nuan.records.devices.models import DeadLetter, Device, Gateway
from nuan.web.guard import Visit
from nuan.web.tables import csv_answer
from nuan.web.wording import say

PAGE = 50
DUE_DAYS = 90
QUIET_S = 3_600
"""运行参数: a gateway that was not heard for so long is told as silent."""


def _due(today: date) -> Q:
    """热量表 whose verification ends within `DUE_DAYS`, or has ended, or was never entered."""
    ends = Q(calibration_valid_until__lte=today + timedelta(days=DUE_DAYS)) | Q(calibration_valid_until=None)
    return Q(kind=Device.Kind.HEAT_METER, removed_on=None) & ends


def device_rows(request: Visit) -> QuerySet[Device]:
    """The devices of the scope as the address asks."""
    rows = request.scope.devices(Device.objects.all())
    asked = request.GET
    for key, column in (("company", "gateway__company_id"), ("kind", "kind"), ("gateway", "gateway_id")):
        if value := asked.get(key):
            rows = rows.filter(**{column: value})
    if asked.get("state") == "due":
        rows = rows.filter(_due(timezone.localdate()))
    elif asked.get("state") == "removed":
        rows = rows.exclude(removed_on=None)
    else:
        rows = rows.filter(removed_on=None)
    if words := asked.get("q", "").strip()[:60]:
        rows = rows.filter(Q(code__startswith=words) | Q(place__startswith=words))
    order = ("calibration_valid_until", "id") if asked.get("state") == "due" else ("gateway_id", "code")
    return rows.select_related("gateway__company", "profile", "predecessor").order_by(*order)


def gateway_rows(request: Visit) -> QuerySet[Gateway]:
    """Open gateways of the scope, with their pulse, the number of their devices, and of their open dead letters."""
    rows = request.scope.of_companies(Gateway.objects.filter(closed_at=None))
    if company := request.GET.get("company"):
        rows = rows.filter(company_id=company)
    return (
        rows.select_related("pulse", "company")
        .annotate(in_use=Count("devices", Q(devices__removed_on=None)))
        .order_by("company_id", "code")
    )


def calibration_state(device: Device, today: date) -> tuple[str, str]:
    """Colour and word; only for heat meters, which the law wants verified."""
    if device.kind != Device.Kind.HEAT_METER or device.removed_on is not None:
        return "", ""
    until = device.calibration_valid_until
    if until is None:
        return "grey", "未登记检定"
    if until < today:
        return "red", "检定已过期"
    return ("amber", "检定将到期") if until <= today + timedelta(days=DUE_DAYS) else ("green", "检定有效")


def place_shown(device: Device) -> str:
    """The place's code; of a home without its door, which lists and files do not say.

    >>> place_shown(Device(level="home", place="B0042-1-0301")), place_shown(Device(level="substation", place="H01-S03"))
    ('B0042-1-••', 'H01-S03')
    """
    return f"{device.place.rpartition('-')[0]}-••" if device.level == "home" and "-" in device.place else device.place


def is_quiet(gateway: Gateway) -> bool:
    pulse = getattr(gateway, "pulse", None)
    return pulse is None or timezone.now().timestamp() - pulse.last_seen_s > QUIET_S


def devices(request: Visit) -> HttpResponse:
    today = timezone.localdate()
    pages = Paginator(device_rows(request), PAGE).get_page(request.GET.get("page"))
    every = request.scope.devices(Device.objects.filter(removed_on=None))
    counts = every.aggregate(
        all=Count("id"), meters=Count("id", Q(kind=Device.Kind.HEAT_METER)), due=Count("id", _due(today))
    )
    gateways = list(gateway_rows(request))
    context: dict[str, Any] = {
        "pages": pages,
        "rows": [(device, *calibration_state(device, today)) for device in pages],
        "counts": counts | {"gateways": len(gateways), "quiet": sum(map(is_quiet, gateways))},
        "gateways": [(each, is_quiet(each)) for each in gateways],
        "companies": request.scope.companies().order_by("code"),
        "kinds": Device.Kind.choices,
        "due_days": DUE_DAYS,
        "letters": request.scope.of_companies(DeadLetter.objects.filter(state=DeadLetter.State.OPEN)).count(),
    }
    return render(request, "web/devices.html", context)


def devices_csv(request: Visit) -> HttpResponse:
    heads = [
        "网关",
        "企业",
        "表号",
        "类别",
        "设备模板",
        "地点",
        "位置",
        "厂家",
        "安装日期",
        "拆除日期",
        "检定日期",
        "检定有效期至",
        "检定状态",
    ]
    today = timezone.localdate()

    def lines() -> Iterator[list[object]]:
        for row in device_rows(request).iterator(chunk_size=2_000):
            _, word = calibration_state(row, today)
            yield [
                row.gateway.name, row.gateway.company.name, row.code, say(row.get_kind_display()), row.profile.name, place_shown(row),
                row.position, row.maker, row.installed_on, row.removed_on, row.calibrated_on, row.calibration_valid_until,
                say(word) if word else None,
            ]  # fmt: skip

    return csv_answer("devices.csv", heads, lines())


def gateway(request: Visit, code: str) -> HttpResponse:
    rows = request.scope.of_companies(Gateway.objects.select_related("pulse", "company"))
    found = get_object_or_404(rows, pk=code)
    today = timezone.localdate()
    mine = request.scope.devices(Device.objects.filter(gateway=found)).select_related("profile", "predecessor")
    pages = Paginator(mine.order_by("removed_on", "code"), PAGE).get_page(request.GET.get("page"))
    letters = DeadLetter.objects.filter(gateway=found.code, state=DeadLetter.State.OPEN)
    context: dict[str, Any] = {
        "gateway": found,
        "pulse": getattr(found, "pulse", None),
        "is_quiet": is_quiet(found),
        "pages": pages,
        "rows": [(device, *calibration_state(device, today)) for device in pages],
        "letters": letters.values("reason").annotate(n=Count("id")).order_by("-n", "reason"),
    }
    return render(request, "web/gateway.html", context)
