"""资金来源 and 实施方案: money committed and used by banner; plans with their tasks, owners and dates."""

from typing import Any

from django.db.models import Q, Sum
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from nuan.operations.support_arrears import add_task, complete_task, report_nil, use_funding
from nuan.records.support.models import FundingSource, FundingUse, LocalPlan, NilReport, PlanTask
from nuan.web.forms import actor_of, attempt, day_of, fen_of, needed
from nuan.web.guard import Visit
from nuan.web.stand_day import season_asked, stand_day
from nuan.web.support_words import TASK_STATES
from nuan.web.wording import say


def funding(request: Visit) -> HttpResponse:
    day = stand_day(request)
    seen = request.scope.of_places(FundingSource.objects.all())
    if request.method == "POST":
        source = get_object_or_404(seen, pk=request.POST.get("source"))
        attempt(
            request,
            lambda: use_funding(
                code=needed(request, "code", say("编号")),
                source=source,
                amount_fen=fen_of(request.POST.get("amount", "")),
                on=day_of(request.POST.get("on", "")),
                purpose=needed(request, "purpose", say("用途"))[:200],
                reference=request.POST.get("reference", "")[:80],
                actor=actor_of(request),
            ),
        )
        return redirect("funding")
    rows = seen.select_related("banner").annotate(used=Sum("uses__amount_fen", filter=Q(uses__on__lte=day)))
    if value := request.GET.get("banner"):
        rows = rows.filter(banner_id=value)
    listed = list(rows.order_by("banner_id", "kind", "code"))
    kinds = [
        (label, sum(row.committed_fen for row in listed if row.kind == kind), sum(row.used or 0 for row in listed if row.kind == kind))
        for kind, label in FundingSource.Kind.choices
    ]  # fmt: skip
    context = {
        "day": day,
        "rows": [(row, row.committed_fen - (row.used or 0), 100 * (row.used or 0) // max(row.committed_fen, 1)) for row in listed],
        "kinds": kinds,
        "banners": request.scope.banners().order_by("code"),
        "uses": FundingUse.objects.filter(source__in=listed).select_related("source__banner", "debt_payment__debt").order_by("-on", "-id")[:50],
        "today": stand_day(request),
    }  # fmt: skip
    return render(request, "web/funding.html", context)


def local_plans(request: Visit) -> HttpResponse:
    season, day = season_asked(request), stand_day(request)
    seen = request.scope.of_places(LocalPlan.objects.filter(season=season))
    if request.method == "POST":
        _write(request, season)
        return redirect("local_plans")
    plans = []
    for plan in seen.select_related("banner").prefetch_related("tasks").order_by("banner_id", "code"):
        tasks = [(task, TASK_STATES[_state(task, day)]) for task in plan.tasks.all()]
        plans.append((plan, tasks))
    context: dict[str, Any] = {
        "season": season,
        "day": day,
        "plans": plans,
        "without": request.scope.banners().exclude(plans__season=season).order_by("code"),
        "nil": request.scope.of_places(NilReport.objects.filter(season=season))
        .select_related("banner")
        .order_by("-on"),
        "banners": request.scope.banners().order_by("code"),
        "nil_subjects": NilReport.Subject.choices,
        "today": stand_day(request),
    }
    return render(request, "web/local_plans.html", context)


def _state(task: PlanTask, day: Any) -> str:
    if task.done_on is not None and task.done_on <= day:
        return "done"
    if not task.owner or task.due_on is None:
        return "loose"
    return "late" if task.due_on < day else "open"


def _write(request: Visit, season: str) -> None:
    if "nil" in request.POST:
        banner = get_object_or_404(request.scope.banners(), pk=request.POST.get("banner"))
        subject = str(request.POST.get("subject", ""))
        if subject not in NilReport.Subject.values:
            raise Http404
        attempt(
            request,
            lambda: report_nil(
                banner=banner.code, subject=subject, season=season, on=stand_day(request), signed_by=actor_of(request),
                reference=request.POST.get("reference", "")[:80], actor=actor_of(request),
            ),
        )  # fmt: skip
        return
    if "plan" in request.POST:
        plan = get_object_or_404(request.scope.of_places(LocalPlan.objects.all()), pk=request.POST.get("plan"))
        attempt(
            request,
            lambda: add_task(
                plan, text=needed(request, "text", say("任务"))[:300], owner=needed(request, "owner", say("责任人"))[:60],
                due_on=day_of(request.POST.get("due_on", "")), actor=actor_of(request),
            ),
        )  # fmt: skip
        return
    task = get_object_or_404(
        request.scope.of_places(PlanTask.objects.select_related("plan"), banner="plan__banner_id"),
        pk=request.POST.get("task"),
    )
    attempt(
        request,
        lambda: complete_task(
            task,
            done_on=day_of(request.POST.get("done_on", "")),
            evidence=needed(request, "evidence", say("完成依据")),
            actor=actor_of(request),
        ),
    )
