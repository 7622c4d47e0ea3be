"""保障资金 of banners: accounts with their balance, applications with the rule's answer, two people who decide, payment."""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Q, QuerySet, Sum
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from nuan.operations.support_funds import (
    FundError,
    apply_fund,
    decide_fund_application,
    deposit_fund,
    eligibility_of,
    reason_of,
    spend_fund,
    state_of,
)
from nuan.policies.support.fund import OUTCOME
from nuan.records.accounts.models import Role
from nuan.records.support.models import Asset, FundAccount, FundApplication
from nuan.records.support.models.costs import Work
from nuan.web.forms import AnswerError, actor_of, attempt, day_of, fen_of, needed
from nuan.web.guard import Visit
from nuan.web.stand_day import stand_day
from nuan.web.support_words import APPLICATION_STATES
from nuan.web.views.support import BUREAUS
from nuan.web.wording import pick, said_by, say

PAGE = 30


def accounts_seen(request: Visit) -> QuerySet[FundAccount]:
    return FundAccount.objects.filter(banner__in=request.scope.banners()).select_related("banner").order_by("code")


def applications_seen(request: Visit) -> QuerySet[FundApplication]:
    rows = request.scope.of_places(FundApplication.objects.all(), banner="account__banner_id")
    return rows.select_related("account__banner", "asset__banner", "company", "applied_by").order_by("-id")


def maintenance_funds(request: Visit) -> HttpResponse:
    context = _form(request)
    if request.method == "POST":
        if "deposit" in request.POST:
            return _deposit(request)
        if request.role not in {Role.FINANCE, Role.CITY}:
            raise Http404
        if request.POST.get("step") == "save" and (done := _apply(request, context)) is not None:
            return done
    rows = applications_seen(request)
    accounts = accounts_seen(request).annotate(
        balance=Sum("movements__amount_fen"),
        put_in=Sum("movements__amount_fen", filter=Q(movements__kind="deposit")),
        spent=Sum("movements__amount_fen", filter=Q(movements__kind="spending")),
    )
    pages = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context |= {
        "accounts": accounts,
        "pages": pages,
        "rows": [(row, APPLICATION_STATES[state_of(row)], pick(*reason_of(row.branch))) for row in pages],
        "may_deposit": request.role in BUREAUS,
        "without": request.scope.banners().filter(fund_accounts=None).order_by("code"),
        "today": stand_day(request),
    }
    return render(request, "web/maintenance_funds.html", context, status=422 if context.get("error") else 200)


def _form(request: Visit) -> dict[str, Any]:
    asked = request.POST if request.method == "POST" else request.GET
    names = ("asset", "account", "work", "amount", "reason", "code")
    assets = request.scope.of_places(Asset.objects.all()).select_related("banner").order_by("code")
    context: dict[str, Any] = {
        "form": {name: asked.get(name, "") for name in names},
        "assets": assets[:2000],
        "works": Work.choices,
        "may_apply": request.role in {Role.FINANCE, Role.CITY},
    }
    chosen = assets.filter(code=context["form"]["asset"]).first() if context["form"]["asset"] else None
    if chosen is not None:
        branch = eligibility_of(chosen)
        context |= {"asset": chosen, "branch": branch, "outcome": OUTCOME[branch], "because": pick(*reason_of(branch))}
    return context


def _apply(request: Visit, context: dict[str, Any]) -> HttpResponse | None:
    asset = context.get("asset")
    try:
        if asset is None:
            raise AnswerError(say("请选设施。"))
        if request.POST.get("seen") != context["branch"]:
            raise AnswerError(say("请先看能否使用保障资金和理由,再提交。"))
        account = accounts_seen(request).filter(banner=asset.banner).first()
        if account is None:
            raise AnswerError(say("设施所在旗区没有建立保障资金。"))
        if FundApplication.objects.filter(code=request.POST.get("code", "")).exists():
            raise AnswerError(say("编号已经登记过。"))
        made = apply_fund(
            code=needed(request, "code", say("编号")),
            account=account,
            asset=asset,
            work=needed(request, "work", say("类别")),
            amount_fen=fen_of(request.POST.get("amount", "")),
            reason=needed(request, "reason", say("理由"))[:300],
            on=timezone.localdate(),
            by=request.user,
        )
    except (AnswerError, FundError) as error:
        context["error"] = said_by(error)
        return None
    return redirect("fund_application", pk=made.pk)


def _deposit(request: Visit) -> HttpResponse:
    if request.role not in BUREAUS:
        raise Http404
    account = get_object_or_404(accounts_seen(request), pk=request.POST.get("deposit"))
    attempt(
        request,
        lambda: deposit_fund(
            code=needed(request, "code", say("编号")),
            account=account,
            amount_fen=fen_of(request.POST.get("amount", "")),
            on=day_of(request.POST.get("on", "")),
            reference=request.POST.get("reference", "")[:80],
            actor=actor_of(request),
        ),
    )
    return redirect("maintenance_funds")


def fund_application(request: Visit, pk: int) -> HttpResponse:
    found = get_object_or_404(applications_seen(request), pk=pk)
    if request.method == "POST":
        if request.role not in BUREAUS:
            raise Http404
        return _decide(request, found)
    state = state_of(found)
    decided = found.decisions.select_related("decided_by").order_by("id")
    context = {
        "found": found,
        "state": APPLICATION_STATES[state],
        "because": pick(*reason_of(found.branch)),
        "decisions": decided,
        "movements": found.movements.order_by("id"),
        "may_decide": request.role in BUREAUS and state == "waiting" and request.user.pk != found.applied_by_id
        and not any(each.decided_by_id == request.user.pk for each in decided),
        "may_refuse_only": found.eligibility != "eligible",
        "may_spend": request.role in BUREAUS and state == "approved",
        "today": stand_day(request),
    }  # fmt: skip
    return render(request, "web/fund_application.html", context)


def _decide(request: Visit, found: FundApplication) -> HttpResponse:
    def spend() -> object:
        return spend_fund(
            code=needed(request, "code", say("编号")),
            application=found,
            amount_fen=fen_of(request.POST.get("amount", "")),
            on=day_of(request.POST.get("on", "")),
            reference=request.POST.get("reference", "")[:80],
            actor=actor_of(request),
        )

    def decide() -> object:
        approve = needed(request, "answer", say("决定")) == "approve"
        return decide_fund_application(found, by=request.user, approve=approve, why=needed(request, "why", say("理由")))

    attempt(request, spend if "spend" in request.POST else decide)
    return redirect("fund_application", pk=found.pk)
