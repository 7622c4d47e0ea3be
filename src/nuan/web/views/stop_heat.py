"""停热申请: the list, and a form that shows the place's decision with its reasons before anything is recorded."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils import timezone

from nuan.operations.city_packs import SeasonKeyError, SeasonUnknownError
from nuan.operations.open_bills import open_of_homes
from nuan.operations.stop_heat import Reasoned, StopHeatError, apply_to_stop, reason_on
from nuan.policies.tariffs.stop_heat import GROUNDS
from nuan.records.accounts.models import Role
from nuan.records.billing.models import StopHeatApplication
from nuan.records.registry.models import Contract, Home
from nuan.web.forms import AnswerError, day_of, needed
from nuan.web.guard import Visit
from nuan.web.stand_day import season_asked
from nuan.web.tables import table_answer
from nuan.web.wording import pick, said_by, say

PAGE = 50
WRITERS = frozenset({Role.FINANCE, Role.DESK})
STATES = {"accepted": ("green", "同意停热"), "refused": ("red", "不同意停热"), "open": ("amber", "规定未载明,待定")}
ACCEPTED = {"accepted": True, "refused": False, "open": None}


def state_of(accepted: bool | None) -> str:
    return next(name for name, value in ACCEPTED.items() if value is accepted)


def seen_applications(request: Visit) -> QuerySet[StopHeatApplication]:
    """The applications of the scope's homes, as the address filters them."""
    rows = request.scope.of_homes(StopHeatApplication.objects.all())
    if (state := request.GET.get("state", "")) in ACCEPTED:
        rows = rows.filter(accepted=ACCEPTED[state])
    if season := request.GET.get("season", ""):
        rows = rows.filter(season=season)
    if company := request.GET.get("company", ""):
        rows = rows.filter(home__company=company)
    return rows.select_related("home__building", "home__company").order_by("-id")


def stop_heat(request: Visit) -> HttpResponse:
    context: dict[str, Any] = {"form": _form(request), "error": ""}
    if request.method == "POST":
        if request.role not in WRITERS:
            raise Http404
        try:
            if _take(request, context):
                return redirect("stop_heat")
        except (AnswerError, StopHeatError, SeasonKeyError, SeasonUnknownError) as refused:
            context["error"] = said_by(refused)
    pages = Paginator(seen_applications(request), PAGE).get_page(request.GET.get("page"))
    context |= {
        "pages": pages,
        "rows": [(row, STATES[state_of(row.accepted)]) for row in pages],
        "states": [(name, words) for name, (_, words) in STATES.items()],
        "seasons": sorted(set(Contract.objects.values_list("season", flat=True).distinct()), reverse=True),
        "companies": request.scope.companies().order_by("code"),
        "grounds": [(name, pick(*words)) for name, words in GROUNDS.items()],
        "may_record": request.role in WRITERS,
    }
    return render(request, "web/money/stop_heat.html", context, status=422 if context["error"] else 200)


def _form(request: Visit) -> dict[str, Any]:
    """The form as it was sent; `?home=` (a home's page names its own) begins one for that home."""
    asked, begun = request.POST, request.GET.get("home", "")
    home = request.scope.homes().filter(pk=begun).first() if begun.isdecimal() else None
    return {
        "home": asked.get("home", home.code if home else "").strip(),
        "season": asked.get("season", "") or season_asked(request),
        "on": asked.get("on", "") or timezone.localdate().isoformat(),
        "facts": [name for name in GROUNDS if name in asked.getlist("facts")],
    }


def _take(request: Visit, context: dict[str, Any]) -> bool:
    """Show the decision; or record it, when the one that the person saw is the one that holds now."""
    form = context["form"]
    home = _home(request)
    on = _past(day_of(form["on"]))
    found = reason_on(home, season=form["season"], applied_on=on, facts=form["facts"])
    if request.POST.get("step") == "save":
        if request.POST.get("seen") != _mark(found):
            raise AnswerError(say("决定与您看到的不同,请再看一遍。"))
        made = apply_to_stop(
            home, season=form["season"], applied_on=on, facts=form["facts"], actor=request.user.get_username()
        )
        messages.success(request, say("已登记:{what}。", what=say(STATES[state_of(made.accepted)][1])))
        return True
    owed = sum(max(each.open_fen, 0) for each in open_of_homes([home.pk]))
    context |= {
        "looked": found, "shape": STATES[state_of(found.answer.accepted)], "seen": _mark(found), "home": home,
        "owed_fen": owed, "owes": owed > 0 and "arrears" not in form["facts"],
    }  # fmt: skip
    return False


def _home(request: Visit) -> Home:
    """A home of the company by its code; somebody else's home is answered like one that is not there."""
    code = needed(request, "home", say("户号"))
    home = request.scope.homes().select_related("banner", "building").filter(code__iexact=code[:80]).first()
    if home is None:
        raise AnswerError(say("没有这个户号。"))
    return home


def _past(day: date) -> date:
    if day > timezone.localdate():
        raise AnswerError(say("申请日不能晚于今天。"))
    return day


def _mark(found: Reasoned) -> str:
    """What the person saw, to be compared with what holds when it is recorded."""
    return f"{state_of(found.answer.accepted)}|{found.why}"


def stop_heat_table(request: Visit, form: str) -> HttpResponseBase:
    """Building and decision; no door and no name."""
    heads = ["楼栋", "企业", "采暖季", "申请日", "决定", "理由", "办理人", "办理时间"]
    lines = (
        [
            row.home.building.name, row.home.company.name, row.season, row.applied_on, say(STATES[state_of(row.accepted)][1]), row.why,
            row.decided_by, timezone.localtime(row.decided_at).strftime("%Y-%m-%d %H:%M"),
        ]
        for row in seen_applications(request).iterator(chunk_size=2000)
    )  # fmt: skip
    return table_answer(form, "stop-heat", "停热申请", heads, lines)
