"""换热站健康: which sensor lies and which station is ill, by the readings of the last weeks; one station with what was expected of it."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Case, IntegerField, Max, QuerySet, Value, When
from django.http import Http404, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from nuan.buildings.health.channels import CHANNELS
from nuan.operations.station_health import HealthError, dismiss_finding
from nuan.records.accounts.visibility import MAY_OPEN
from nuan.records.monitoring.models import StationFinding, StationHealth
from nuan.records.registry.models import Substation
from nuan.web.charts import Line, curve
from nuan.web.forms import actor_of, refused
from nuan.web.guard import Visit
from nuan.web.scatter import scatter
from nuan.web.tables import csv_answer
from nuan.web.wording import pick, say

PAGE = 30
STATES = {"open": "待处理", "passed": "已恢复", "dismissed": "已排除"}
DAY = 86_400
UNITS = {"share": ""}


def channel_words(channel: str) -> str:
    """`换热站` for the station itself."""
    return say("换热站") if not channel else pick(CHANNELS[channel].zh, CHANNELS[channel].en)


def size_words(row: StationFinding) -> str:
    if row.size is None:
        return "—"
    if row.unit == "share":
        return f"{100 * row.size:.0f} %"
    return f"{row.size:+.1f} {row.unit}" if row.kind in ("bias", "drift") else f"{row.size:.1f} {row.unit}"


def sure_words(row: StationFinding) -> str:
    """How sure, in a word that everybody knows."""
    return say("较有把握") if row.confidence >= 0.75 else say("可能") if row.confidence >= 0.45 else say("两者之一")


def _rows(request: Visit) -> QuerySet[StationFinding]:
    rows = request.scope.placed(StationFinding.objects.all())
    state = request.GET.get("state", "open")
    rows = rows.filter(state=state if state in STATES else "open")
    if (kind := request.GET.get("kind")) in StationFinding.Kind.values:
        rows = rows.filter(kind=kind)
    what = request.GET.get("what")
    if what == "sensor":
        rows = rows.exclude(channel="")
    elif what == "station":
        rows = rows.filter(channel="")
    for key, column in (("company", "company_code"), ("banner", "banner_code"), ("station", "station_code")):
        if value := request.GET.get(key):
            rows = rows.filter(**{column: value})
    first = Case(When(channel="", then=Value(0)), default=Value(1), output_field=IntegerField())
    return rows.order_by(first, "-told_at", "station_code", "pk")


def shown(rows: list[StationFinding]) -> list[dict[str, Any]]:
    names = dict(Substation.objects.filter(code__in={row.station_code for row in rows}).values_list("code", "name"))
    return [
        {
            "row": row,
            "name": names.get(row.station_code, row.station_code),
            "channel": channel_words(row.channel),
            "size": size_words(row),
            "sure": sure_words(row),
        }
        for row in rows
    ]


def station_health(request: Visit) -> HttpResponse:
    pages = Paginator(_rows(request), PAGE).get_page(request.GET.get("page"))
    mine = request.scope.placed(StationHealth.objects.all())
    context = {
        "pages": pages,
        "findings": shown(list(pages)),
        "banners": request.scope.banners().order_by("code"),
        "companies": request.scope.companies().order_by("code"),
        "kinds": [(value, say(label)) for value, label in StationFinding.Kind.choices],
        "states": [(value, say(label)) for value, label in STATES.items()],
        "state": request.GET.get("state", "open"),
        "kind": request.GET.get("kind", ""),
        "what": request.GET.get("what", ""),
        "computed": mine.aggregate(at=Max("computed_at"))["at"],
        "looked_at": mine.filter(learned_days__gt=0).count(),
        "learning": mine.filter(learned_days=0).count(),
        "query": request.GET.urlencode(),
        "may_dismiss": request.role in MAY_OPEN["station_finding_dismiss"],
    }
    return render(request, "web/station_health.html", context)


def station_health_csv(request: Visit) -> StreamingHttpResponse:
    heads = ["换热站", "编号", "企业", "测点", "像是什么", "大小", "把握", "自", "发现于", "状态"]
    lines = (
        [
            each["name"], each["row"].station_code, each["row"].company_code, each["channel"], say(each["row"].get_kind_display()),
            each["size"], f"{each['row'].confidence:.2f}", each["row"].since.strftime("%Y-%m-%d %H:%M"),
            each["row"].told_at.strftime("%Y-%m-%d %H:%M"), say(STATES[each["row"].state]),
        ]
        for each in shown(list(_rows(request)))
    )  # fmt: skip
    return csv_answer("station-health.csv", heads, lines)


def one_station_health(request: Visit, code: str) -> HttpResponse:
    found = get_object_or_404(request.scope.stations().select_related("company", "banner", "source"), code=code)
    health = StationHealth.objects.filter(station_code=code).first()
    rows = StationFinding.objects.filter(station_code=code).order_by("-told_at")[:30]
    context = {
        "station": found,
        "health": health,
        "findings": shown(list(rows)),
        "charts": _charts(health) if health else [],
        "signature": _signature(health.signature) if health and health.signature else None,
        "may_dismiss": request.role in MAY_OPEN["station_finding_dismiss"],
    }
    return render(request, "web/one_station_health.html", context)


def _charts(health: StationHealth) -> list[dict[str, Any]]:
    """Measured beside expected for each channel; the one that left its line furthest stands first."""
    days = health.days
    found = []
    for key in CHANNELS:
        entries = [(row["day_s"] + DAY // 2, *row["channels"][key]) for row in days if key in row["channels"]]
        if not entries:
            continue
        lines = [
            Line(say("实测"), [(at, measured) for at, measured, _, _ in entries], DAY),
            Line(say("应有"), [(at, expected) for at, _, expected, _ in entries], DAY),
        ]
        last = entries[-3:]
        apart = sum((measured - expected) / max(spread, 1e-6) for _, measured, expected, spread in last) / len(last)
        found.append(
            {
                "name": f"{channel_words(key)} {CHANNELS[key].unit}",
                "apart": sum(measured - expected for _, measured, expected, _ in last) / len(last),
                "unit": CHANNELS[key].unit,
                "score": abs(apart),
                "chart": curve(lines, days[0]["day_s"], days[-1]["day_s"] + DAY, channel_words(key)),
            }
        )
    return sorted(found, key=lambda each: -float(each["score"]))


def _signature(stored: dict[str, Any]) -> dict[str, Any]:
    line = (stored["level"], stored["slope"], stored["balance_c"])
    return {
        "chart": scatter(stored["points"], line, say("热功率 kW"), say("室外温度 °C")),
        "slope": stored["slope"],
        "balance_c": stored["balance_c"],
        "changed_s": stored["changed_s"],
    }


def station_finding_dismiss(request: Visit, pk: int) -> HttpResponse:
    if request.method != "POST":
        raise Http404
    row = get_object_or_404(request.scope.placed(StationFinding.objects.all()), pk=pk)
    try:
        done = dismiss_finding(row.pk, actor=actor_of(request), why=request.POST.get("why", ""), now=timezone.now())
    except HealthError as error:
        refused(request, error)
    else:
        messages.success(request, say("已排除。") if done else say("已经排除过了。"))
    return redirect("one_station_health", code=row.station_code)
