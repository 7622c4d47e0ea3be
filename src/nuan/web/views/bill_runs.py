"""Bill runs: made, looked at with exceptions first, proposed, decided by another person, posted."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from nuan.operations import approvals
from nuan.operations.approvals import ApprovalError
from nuan.operations.bill_drafts import WARNINGS
from nuan.operations.bill_runs import KIND, NothingToBillError, decide_run, post_run, preview, propose_run
from nuan.operations.city_packs import SeasonKeyError, SeasonUnknownError
from nuan.policies import catalogue
from nuan.policies.tariffs.working import LABELS, reason_words
from nuan.records.accounts.models import Role
from nuan.records.billing.models import BillException, BillRun, RunPosting
from nuan.records.registry.models import Contract
from nuan.web.guard import Visit
from nuan.web.tables import table_answer
from nuan.web.wording import in_english, pick, said_by, say

PAGE = 50
STATES = {
    "posted": ("green", "已入账"), "approved": ("amber", "待入账"), "proposed": ("amber", "待另一人审批"), "rejected": ("red", "已退回"),
    "draft": ("grey", "预览"),
}  # fmt: skip


def state_of(run: BillRun) -> str:
    if RunPosting.objects.filter(run=run).exists():
        return "posted"
    proposal = approvals.newest(KIND, run.subject)
    return "draft" if proposal is None else approvals.standing(proposal) or "proposed"


def exception_words(code: str, run: BillRun) -> str:
    if code in WARNINGS:
        return pick(*WARNINGS[code])
    packs = [name for name in run.packs if name in catalogue.packs()]
    return reason_words(code, catalogue.pack(packs[0] if packs else "directive"), "en" if in_english() else "zh")


def bill_runs(request: Visit) -> HttpResponse:
    """The list, and the form that makes a preview."""
    error = ""
    if request.method == "POST":
        if request.role != Role.FINANCE:
            raise Http404
        try:
            run = preview(request.scope.code, request.POST.get("season", ""), actor=request.user.username)
            return redirect("bill_run", pk=run.pk)
        except (NothingToBillError, SeasonKeyError, SeasonUnknownError) as refused:
            error = str(refused)
    rows = request.scope.books(BillRun.objects.select_related("company")).order_by("-id")
    pages = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {
        "pages": pages,
        "rows": [
            {"run": run, "state": STATES[state_of(run)], "blocked": run.summary.get("blocked_homes", 0)}
            for run in pages
        ],
        "seasons": sorted(set(Contract.objects.values_list("season", flat=True).distinct()), reverse=True),
        "may_make": request.role == Role.FINANCE,
        "error": error,
    }
    return render(request, "web/money/bill_runs.html", context, status=422 if error else 200)


def bill_run(request: Visit, pk: int) -> HttpResponse:
    run = get_object_or_404(request.scope.books(BillRun.objects.select_related("company")), pk=pk)
    error = ""
    if request.method == "POST":
        error = _act(request, run)
        if not error:
            return redirect("bill_run", pk=run.pk)
    proposal = approvals.newest(KIND, run.subject)
    state = state_of(run)
    exceptions = (
        BillException.objects.filter(run=run).select_related("home__building").order_by("-blocking", "code", "id")
    )
    pages = Paginator(exceptions, PAGE).get_page(request.GET.get("page"))
    summary = run.summary
    change = None if not summary.get("last_season_fen") else run.total_fen - summary["last_season_fen"]
    context: dict[str, Any] = {
        "made": run,
        "state": state,
        "shape": STATES[state],
        "proposal": proposal,
        "decisions": proposal.decisions.select_related("decided_by") if proposal else [],
        "is_mine": proposal is not None and proposal.proposed_by_id == request.user.pk,
        "is_finance": request.role == Role.FINANCE,
        "posting": RunPosting.objects.filter(run=run).first(),
        "pages": pages,
        "exceptions": [{"row": each, "words": exception_words(each.code, run)} for each in pages],
        "counted": [
            {"words": exception_words(code, run), "n": n, "blocking": code not in WARNINGS}
            for code, n in sorted(summary.get("exceptions", {}).items(), key=lambda item: (item[0] in WARNINGS, -item[1]))
        ],
        "kinds": [{"words": pick(*LABELS[kind]), **figures} for kind, figures in summary.get("by_kind", {}).items()],
        "change_fen": change,
        "due": summary.get("due", {}),
        "error": error,
    }  # fmt: skip
    return render(request, "web/money/bill_run.html", context, status=422 if error else 200)


def _act(request: Visit, run: BillRun) -> str:
    """What a button asks for; the sentence of a refusal, or empty."""
    asked, seen = request.POST.get("act", ""), request.POST.get("seen", "")
    try:
        if asked == "propose":
            propose_run(run, by=request.user)
            messages.success(request, say("已提请,等另一人审批。"))
        elif asked in {"approve", "reject"}:
            decide_run(
                run, by=request.user, seen_hash=seen, approve=asked == "approve", why=request.POST.get("why", "")[:500]
            )
            messages.success(request, say("已同意。") if asked == "approve" else say("已退回。"))
        elif asked == "post":
            if request.role != Role.FINANCE:
                raise Http404
            posted = post_run(run, issued_on=timezone.localdate(), actor=request.user.username)
            messages.success(request, say("已入账 {n} 张账单。", n=posted.bills))
        else:
            return say("不知道要做什么。")
    except (ApprovalError, NothingToBillError) as refused:
        return said_by(refused)
    return ""


def bill_run_table(request: Visit, pk: int, form: str) -> HttpResponseBase:
    """The exceptions as a file, blocking ones first; no door and no name."""
    run = get_object_or_404(request.scope.books(BillRun.objects.all()), pk=pk)
    rows = BillException.objects.filter(run=run).select_related("home__building").order_by("-blocking", "code", "id")
    heads = ["楼栋", "单元", "楼层", "不能出账", "原因", "说明"]
    lines = (
        [
            row.home.building.name, row.home.entrance, row.home.floor, say("是") if row.blocking else say("否"),
            exception_words(row.code, run), row.detail,
        ]
        for row in rows.iterator(chunk_size=2000)
    )  # fmt: skip
    return table_answer(form, f"bill-run-{run.pk}", "不能出账的", heads, lines)
