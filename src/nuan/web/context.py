"""What every page knows: whether the city is synthetic, how old the data are, the menu of the role."""

import json
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from nuan.records.accounts.visibility import MAY_OPEN, role_of
from nuan.records.supervision.models import Run
from nuan.web.wording import in_english

MENU = [
    ("my_home", "我家"),
    ("alarms", "告警"),
    ("live", "实时"),
    ("hazards", "隐患巡线"),
    ("networks", "管网"),
    ("my_money", "我的缴费和退费"),
    ("finance", "财务台"),
    ("board", "条款总览"),
    ("today", "今日全城"),
    ("map", "地图"),
    ("companies", "企业比较"),
    ("refund_watch", "退费监管"),
    ("stations", "换热站"),
    ("homes", "住户"),
    ("quality", "数据质量"),
    ("support", "保障资金"),
    ("runs", "判定记录"),
    ("audit", "审计日志"),
]


def demo_facts() -> dict[str, Any] | None:
    """What `nuan demo` left behind, or None: then this is no synthetic city."""
    path = settings.NUAN_HOME / "demo.json"
    if not path.is_file():
        return None
    facts = json.loads(path.read_text(encoding="utf-8"))
    return facts if isinstance(facts, dict) else {}


def latest_run() -> Run | None:
    return Run.objects.filter(state=Run.State.DONE).order_by("-id").first()


def page(request: HttpRequest) -> dict[str, Any]:
    role = role_of(request.user) if hasattr(request, "user") else "anonymous"
    current = request.resolver_match.url_name if request.resolver_match else ""
    return {
        "is_demo": (settings.NUAN_HOME / "demo.json").is_file(),
        "run": latest_run(),
        "role": role,
        "menu": [(name, words, name == current) for name, words in MENU if role in MAY_OPEN[name]],
        "may_search": role in MAY_OPEN["search"],
        "page_language": "en" if in_english() else "zh-hans",
    }
