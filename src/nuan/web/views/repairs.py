"""维修与承担: what was repaired, who bears it and who paid; a form that tells the payer and the reason before anything is saved."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from nuan.operations.support_costs import CostError, PayerDecision, cancel_repair, payer_of, payers_of, record_repair
from nuan.records.accounts.models import Role
from nuan.records.support.models import Asset, Repair
from nuan.web.forms import AnswerError, actor_of, attempt, day_of, fen_of, needed
from nuan.web.guard import Visit
from nuan.web.stand_day import stand_day
from nuan.web.wording import said_by, say

PAGE = 25
MOST = 5000
"""So many of the newest repairs are looked through for what is charged wrongly; those stand first."""
WRITERS = frozenset({Role.FINANCE, Role.CITY})


def seen_repairs(request: Visit) -> QuerySet[Repair]:
    rows = request.scope.of_places(Repair.objects.all(), banner="asset__banner_id", company="asset__company_id")
    if value := request.GET.get("banner"):
        rows = rows.filter(asset__banner_id=value)
    if value := request.GET.get("company"):
        rows = rows.filter(asset__company_id=value)
    if value := request.GET.get("charged_to"):
        rows = rows.filter(charged_to=value)
    return rows.select_related("asset__company", "asset__banner", "reversed_by").order_by("-on", "-id")


def judged(rows: list[Repair]) -> list[tuple[Repair, PayerDecision | None, str]]:
    """Each with who bears it and `wrong`, `open` or empty; a reversal is shown without a decision."""
    asked = [row for row in rows if row.reverses_id is None]
    bears = dict(zip((row.pk for row in asked), payers_of([(row.asset, row.on) for row in asked]), strict=True))
    found = []
    for row in rows:
        decided = bears.get(row.pk)
        mark = ""
        if decided is not None:
            paid_by_fund = row.charged_to == "fund" and decided.payer == "company"
            if not decided.payer or row.charged_to == "unknown":
                mark = "open"
            elif row.charged_to != decided.payer and not paid_by_fund:
                mark = "wrong"
        found.append((row, decided, mark))
    return found


def repairs(request: Visit) -> HttpResponse:
    context = _form(request)
    if request.method == "POST":
        if request.role not in WRITERS:
            raise Http404
        if "cancel" in request.POST:
            return _cancel(request)
        if request.POST.get("step") == "save":
            done = _save(request, context)
            if done is not None:
                return done
    everything = judged(list(seen_repairs(request)[:MOST]))
    order = {"wrong": 0, "open": 1, "": 2}
    pages = Paginator(sorted(everything, key=lambda each: order[each[2]]), PAGE).get_page(request.GET.get("page"))
    context |= {
        "pages": pages,
        "rows": list(pages),
        "wrong": sum(mark == "wrong" for _, _, mark in everything),
        "open": sum(mark == "open" for _, _, mark in everything),
        "banners": request.scope.banners().order_by("code"),
        "companies": request.scope.companies().order_by("code"),
        "charged": Repair.ChargedTo.choices,
    }
    return render(request, "web/repairs.html", context, status=422 if context.get("error") else 200)


def _form(request: Visit) -> dict[str, Any]:
    """The form as it was sent, and the decision for its asset and day. `?asset=` shows the form for an asset."""
    asked = request.POST if request.method == "POST" else request.GET
    assets = request.scope.of_places(Asset.objects.all()).select_related("banner").order_by("code")
    names = ("asset", "on", "category", "cost", "charged_to", "code", "invoice_ref", "memo")
    context: dict[str, Any] = {
        "form": {name: asked.get(name, "") for name in names},
        "assets": assets[:2000],
        "works": Repair._meta.get_field("category").choices,
        "may_record": request.role in WRITERS,
        "today": stand_day(request),
    }
    chosen = assets.filter(code=context["form"]["asset"]).first() if context["form"]["asset"] else None
    if chosen is not None:
        context["asset"] = chosen
        try:
            context["decision"] = payer_of(chosen, day_of(context["form"]["on"]))
        except AnswerError as error:
            context["error"] = str(error)
    return context


def _save(request: Visit, context: dict[str, Any]) -> HttpResponse | None:
    """Written only when the decision that the person saw is the one that holds now."""
    decision, asset = context.get("decision"), context.get("asset")
    try:
        if asset is None or decision is None:
            raise AnswerError(say("请选设施和日期。"))
        if request.POST.get("seen") != decision.branch:
            raise AnswerError(say("请先看由谁承担和理由,再登记。"))
        record_repair(
            code=needed(request, "code", say("编号")),
            asset=asset,
            on=day_of(request.POST.get("on", "")),
            category=needed(request, "category", say("类别")),
            cost_fen=fen_of(request.POST.get("cost", "")),
            charged_to=needed(request, "charged_to", say("实际列支")),
            invoice_ref=request.POST.get("invoice_ref", "")[:80],
            memo=request.POST.get("memo", "")[:300],
            today=timezone.localdate(),
            actor=actor_of(request),
        )
    except (AnswerError, CostError) as error:
        context["error"] = said_by(error)
        return None
    messages.success(request, say("已登记。"))
    return redirect("repairs")


def _cancel(request: Visit) -> HttpResponse:
    found = get_object_or_404(seen_repairs(request).filter(Q(reverses=None)), pk=request.POST.get("cancel"))
    attempt(
        request,
        lambda: cancel_repair(
            found, why=needed(request, "why", say("理由")), today=timezone.localdate(), actor=actor_of(request)
        ),
    )
    return redirect("repairs")
