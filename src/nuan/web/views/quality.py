"""数据质量: who sends what, how complete, how late and with which flaws. A company that sends nothing stands on top."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Max
from django.http import HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone

from nuan.operations.live import live_now
from nuan.operations.quality_days import LATENESS
from nuan.records.monitoring.models import LiveValue, QualityDay
from nuan.telemetry.live import stale_after_s
from nuan.telemetry.readings import Flag
from nuan.terms.places import CHINA
from nuan.web.guard import Visit
from nuan.web.live_words import ago
from nuan.web.tables import csv_answer
from nuan.web.views.suggestions import suggested
from nuan.web.wording import say

SPANS = {"7": 7, "30": 30}
LATENESS_WORDS = {
    "1m": "1 分钟内",
    "10m": "10 分钟内",
    "1h": "1 小时内",
    "6h": "6 小时内",
    "1d": "1 天内",
    "later": "更晚",
}


@dataclass
class Sender:
    """A company, or one gateway of it, over the days shown. `share`: point-hours with a trusted value of those that were due."""

    company: str
    name: str
    gateway: str
    points: int = 0
    silent: int = 0
    share: float | None = None
    readings: int = 0
    flags: str = ""
    lateness: Sequence[tuple[str, float]] = ()
    newest: str = ""
    quiet: bool = True
    clock_s: float | None = None
    days: Sequence[tuple[date, int]] = ()
    heard: bool = False
    """Something came within the days shown, counted yet or not: only whole hours are counted, and by a timer."""

    @property
    def sends_nothing(self) -> bool:
        return self.readings == 0 and not self.heard


def _senders(request: Visit, days: int, now: datetime) -> list[Sender]:
    companies = {company.code: company.name for company in request.scope.companies()}
    last = (now - timedelta(seconds=1)).astimezone(CHINA).date()
    first = last - timedelta(days=days - 1)
    rows = QualityDay.objects.filter(company_code__in=companies, day__gte=first, day__lte=last).order_by("day")
    grouped: dict[tuple[str, str], list[QualityDay]] = {(code, ""): [] for code in companies}
    for row in rows:
        grouped.setdefault((row.company_code, row.gateway_code), []).append(row)
    live = _newest_live(list(companies))
    clocks = _clocks()
    senders = [
        _sender(
            companies[company], company, gateway, found, live.get((company, gateway)), clocks.get(gateway), now, first
        )
        for (company, gateway), found in grouped.items()
    ]
    worst = {
        s.company: (not s.sends_nothing, s.share if s.share is not None else -1.0) for s in senders if not s.gateway
    }
    return sorted(senders, key=lambda s: (*worst[s.company], s.company, s.gateway))


def _newest_live(companies: list[str]) -> dict[tuple[str, str], int]:
    """Newest arrival by company, and by gateway of it, from the live values."""
    rows = LiveValue.objects.filter(point__company_code__in=companies).values_list(
        "point__company_code", "point__gateway_code"
    )
    found: dict[tuple[str, str], int] = {}
    for company, gateway, newest in rows.annotate(newest=Max("any_arrival_s")):
        for key in {(company, gateway), (company, "")}:
            found[key] = max(newest, found.get(key, newest))
    return found


def _clocks() -> dict[str, float]:
    """Clock offsets of gateways, where the intake keeps them."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('devices_gatewaypulse')")
        if cursor.fetchone()[0] is None:
            return {}
        cursor.execute("SELECT gateway_id, clock_offset_s FROM devices_gatewaypulse WHERE clock_offset_s IS NOT NULL")
        return dict(cursor.fetchall())


def _sender(
    name: str,
    company: str,
    gateway: str,
    rows: list[QualityDay],
    live: int | None,
    clock_s: float | None,
    now: datetime,
    first: date,
) -> Sender:
    expected, covered = sum(row.expected_hours for row in rows), sum(row.covered_hours for row in rows)
    arrivals = [each for row in rows for each in (row.newest_arrival_s or row.newest_s,) if each is not None]
    newest = max([*arrivals, *([live] if live is not None else [])], default=None)
    heard = newest is not None and datetime.fromtimestamp(newest, CHINA).date() >= first
    uncounted = heard and not any(row.readings for row in rows)
    late = {key: sum(row.lateness.get(key, 0) for row in rows) for key, _ in LATENESS}
    all_late = sum(late.values())
    return Sender(
        company, name, gateway,
        points=rows[-1].points if rows else 0,
        silent=rows[-1].silent_points if rows and not uncounted else 0,
        share=covered / expected if expected and not uncounted else None,
        readings=sum(row.readings for row in rows),
        flags=_flags(rows),
        lateness=[(say(LATENESS_WORDS[key]), 100 * number / all_late) for key, number in late.items() if number],
        newest="" if newest is None else ago(newest, now),
        quiet=newest is None or now.timestamp() - newest > stale_after_s("supply_temp"),
        clock_s=clock_s,
        days=[(row.day, 100 * row.covered_hours // row.expected_hours if row.expected_hours else -1) for row in rows],
        heard=heard,
    )  # fmt: skip


def _flags(rows: list[QualityDay]) -> str:
    counts = {flag: sum(row.flagged.get(flag.name, 0) for row in rows) for flag in Flag if flag}
    return " · ".join(f"{say(flag.zh)} {number:,}" for flag, number in counts.items() if number)


def quality(request: Visit) -> HttpResponse:
    now = live_now(timezone.now())
    days = SPANS.get(request.GET.get("days", "7"), 7)
    senders = _senders(request, days, now)
    computed = QualityDay.objects.aggregate(at=Max("computed_at"))["at"]
    context: dict[str, Any] = {
        "senders": senders,
        "silent": [each for each in senders if each.sends_nothing and not each.gateway],
        "days": days,
        "now": now,
        "computed": computed,
        "is_old": now < timezone.now() - timedelta(days=1),
        **suggested(request),
    }
    return render(request, "web/quality.html", context)


def quality_csv(request: Visit) -> StreamingHttpResponse:
    now = live_now(timezone.now())
    days = SPANS.get(request.GET.get("days", "7"), 7)
    last = (now - timedelta(seconds=1)).astimezone(CHINA).date()
    companies = request.scope.companies().values_list("code", flat=True)
    rows = QualityDay.objects.filter(company_code__in=companies, day__gt=last - timedelta(days=days), day__lte=last)
    heads = ["日期", "企业", "网关", "测点", "没有来数的测点", "应有测点小时", "可信测点小时", "读数", "最新来数"]
    lines = (
        (
            row.day, row.company_code, row.gateway_code, row.points, row.silent_points, row.expected_hours, row.covered_hours, row.readings,
            "" if row.newest_s is None else datetime.fromtimestamp(row.newest_s, CHINA).strftime("%Y-%m-%d %H:%M:%S"),
        )
        for row in rows.order_by("day", "company_code", "gateway_code").iterator()
    )  # fmt: skip
    return csv_answer("quality.csv", heads, lines)
