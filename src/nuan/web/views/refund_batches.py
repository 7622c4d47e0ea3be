"""Refund batches: proposed, looked at home by home, decided by another person, booked, paid out."""

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Count, QuerySet, Sum
from django.http import Http404, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from nuan.operations import approvals
from nuan.operations.approvals import ApprovalError
from nuan.operations.refund_batches import RefundError, decide_refunds, proposal_of, propose_refunds, withdraw_refunds
from nuan.operations.refund_payouts import PayoutError, credit_payouts, may_pay_out, send_payouts, take_results
from nuan.operations.refund_posting import post_refunds
from nuan.operations.refund_status import LIST_HEADS, list_lines
from nuan.operations.workbooks import Fen
from nuan.policies.refunds.payable import REASONS
from nuan.records.accounts.models import Role
from nuan.records.billing.models import RefundBatch, RefundItem, RefundPayout
from nuan.records.supervision.models import Judgement, Run
from nuan.terms.findings import Finding
from nuan.web.clause_words import pack_title, words_of
from nuan.web.guard import Visit
from nuan.web.journal import masked, reason
from nuan.web.tables import table_answer
from nuan.web.views.set_offs import ACTS, do_set_off, set_offs_of
from nuan.web.wording import in_english, pick, said_by, say
from nuan.web.working import working_of

PAGE = 50
SHOWN_BLOCKED = 20
COLOURS = {"proposed": "amber", "posted": "green", "rejected": "grey"}
PAYOUT_COLOURS = {
    "pending": "amber", "in_transit": "amber", "paid": "green", "failed": "red", "credited": "green", "cancelled": "grey",
}  # fmt: skip
DONE = {
    "approve": "已同意,可以入账。",
    "reject": "已退回,判定可以重新提请。",
    "post": "已入账。",
    "withdraw": "已撤回,判定可以重新提请。",
    "send": "已发出,请把名单交给银行或平台。",
    "credit": "已抵下季热费。",
    "setoff_ask": "已提请,等另一人审批。",
    "setoff_yes": "已撤销抵扣,另付给住户。",
    "setoff_no": "未同意,抵扣不变。",
}


def _batches(request: Visit) -> QuerySet[RefundBatch]:
    rows = RefundBatch.objects.select_related("company")
    return rows if request.scope.kind == "city" else rows.filter(company=request.scope.code)


def refund_batches(request: Visit) -> HttpResponse:
    error = ""
    if request.method == "POST":
        try:
            batch = propose_refunds(
                company=request.scope.code, season=request.POST.get("season", "")[:9], by=request.user
            )
        except (RefundError, ApprovalError) as refused:
            error = str(refused)
        else:
            messages.success(request, say("批次 {n} 已提请,等另一人审批。", n=batch.pk))
            return redirect("refund_batch", pk=batch.pk)
    pages = Paginator(_batches(request).order_by("-id"), PAGE).get_page(request.GET.get("page"))
    context = {
        "pages": pages,
        "rows": [
            {"batch": each, "colour": COLOURS[each.state], "word": _word(each), "blocked": _count(each)}
            for each in pages
        ],
        "seasons": list(
            Run.objects.filter(state=Run.State.DONE).order_by("-season").values_list("season", flat=True).distinct()
        ),
        "may_propose": request.role == Role.FINANCE,
        "error": error,
    }
    return render(request, "web/money/refund_batches.html", context, status=422 if error else 200)


def _word(batch: RefundBatch) -> str:
    proposal = proposal_of(batch)
    if (
        batch.state == RefundBatch.State.PROPOSED
        and proposal is not None
        and approvals.standing(proposal) == "approved"
    ):
        return "已同意待入账"
    return str(RefundBatch.State(batch.state).label)


def refund_batch(request: Visit, pk: int) -> HttpResponse:
    batch = get_object_or_404(_batches(request), pk=pk)
    context: dict[str, Any] = {}
    if request.method == "POST":
        context = _do(request, batch)
        if not context:
            return redirect("refund_batch", pk=pk)
        batch.refresh_from_db()
    proposal = proposal_of(batch)
    rows = batch.items.select_related("home__building").order_by("-amount_fen", "id")
    pages = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    payouts = batch.payouts.values("state").annotate(n=Count("id"), fen=Sum("amount_fen")).order_by("state")
    standing = approvals.standing(proposal) if proposal is not None else ""
    context |= {
        "batch": batch,
        "colour": COLOURS[batch.state],
        "word": _word(batch),
        "proposal": proposal,
        "decisions": proposal.decisions.select_related("decided_by").order_by("id") if proposal else [],
        "standing": standing,
        "is_mine": proposal is not None and proposal.proposed_by_id == request.user.pk,
        "pages": pages,
        "rows": [_item(each) for each in pages],
        "blocked": _blocked(batch),
        "blocked_count": _count(batch),
        "payouts": [
            {**each, "colour": PAYOUT_COLOURS[each["state"]], "word": RefundPayout.State(each["state"]).label}
            for each in payouts
        ],
        "waits": batch.payouts.filter(state=RefundPayout.State.PENDING).exists(),
        "is_finance": request.role == Role.FINANCE,
        **set_offs_of(request, batch),
    }
    return render(request, "web/money/refund_batch.html", context, status=422 if context.get("error") else 200)


def _item(item: RefundItem) -> dict[str, Any]:
    return {"item": item, "clause": words_of(item.clause), "is_new": item.after_id is None}


def _blocked(batch: RefundBatch) -> list[dict[str, Any]]:
    """What may not be paid, by reason: how many, and the first of them by building."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for told in batch.blocked:
        if told["reason"] != "more":
            groups.setdefault((told["reason"], told.get("detail", "")), []).append(told)
    return [
        {
            "words": pick(*REASONS[code]) if code in REASONS else code,
            "detail": reason(detail) if code == "undecided" else detail,
            "count": len(rows),
            "rows": [
                {**row, "home": str(row["home"]).rpartition("-")[0] or row["home"]} for row in rows[:SHOWN_BLOCKED]
            ],
        }
        for (code, detail), rows in sorted(groups.items(), key=lambda each: -len(each[1]))
    ]


def _count(batch: RefundBatch) -> int:
    return sum(told.get("count", 1) for told in batch.blocked)


def _do(request: Visit, batch: RefundBatch) -> dict[str, Any]:
    """What went wrong, for the page; empty when it is done."""
    what, why, today = request.POST.get("act", ""), request.POST.get("why", "")[:200], timezone.localdate()
    try:
        if what in {"approve", "reject"}:
            seen = request.POST.get("seen", "")
            decide_refunds(batch, by=request.user, seen_hash=seen, approve=what == "approve", why=why)
        elif what == "withdraw":
            withdraw_refunds(batch, by=request.user, why=why)
        elif what == "post":
            post_refunds(batch, by=may_pay_out(request.user, batch.company_id), on=today)
        elif what in {"send", "credit"}:
            actor = may_pay_out(request.user, batch.company_id).username
            waiting = batch.payouts.filter(state=RefundPayout.State.PENDING)
            if what == "send":
                send_payouts(waiting, channel=request.POST.get("channel", ""), on=today, actor=actor)
            else:
                credit_payouts(waiting, on=today, actor=actor, why=why)
        elif what in ACTS:
            do_set_off(request, batch, what, why)
        else:
            raise Http404
    except (RefundError, ApprovalError, PayoutError) as refused:
        return {"error": said_by(refused)}
    messages.success(request, say(DONE[what]))
    return {}


def refund_item(request: Visit, pk: int) -> HttpResponse:
    """One item with its working, made again by the rule; the fen that it gives must be the fen that is booked."""
    found = get_object_or_404(RefundItem.objects.select_related("batch__company", "home__building", "entry"), pk=pk)
    if (
        request.scope.kind != "city"
        and found.batch.company_id != request.scope.code
        and found.home.code != request.scope.code
    ):
        raise Http404
    if found.entry_id is None and request.role == Role.RESIDENT:
        raise Http404  # nobody is told of money that two people have not agreed to
    judgement = Judgement.objects.select_related("run").filter(pk=found.judgement_id).first()
    chain = [found]
    while chain[-1].after_id is not None:
        chain.append(RefundItem.objects.get(pk=chain[-1].after_id))
    context = {
        "item": found,
        "clause": words_of(found.clause),
        "judgement": judgement,
        "working": working_of(judgement) if judgement is not None else None,
        "pack_title": pack_title(found.evidence.get("pack", "")),
        "chain": chain,
    }
    return render(request, "web/money/refund_item.html", context)


def refund_payouts(request: Visit, pk: int) -> HttpResponse:
    """The payouts of a batch, and the door for the bank's or platform's answer."""
    batch = get_object_or_404(_batches(request), pk=pk)
    context: dict[str, Any] = {}
    if request.method == "POST":
        context = _results(request, batch)
        if not context:
            return redirect("refund_payouts", pk=pk)
    rows = batch.payouts.select_related("home__building", "refund_of").order_by("-id")
    if state := request.GET.get("state"):
        rows = rows.filter(state=state)
    pages = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context |= {
        "batch": batch,
        "pages": pages,
        "rows": [{"payout": each, "colour": PAYOUT_COLOURS[each.state]} for each in pages],
        "states": RefundPayout.State.choices,
        "is_finance": request.role == Role.FINANCE,
    }
    return render(request, "web/money/refund_payouts.html", context, status=422 if context.get("error") else 200)


def _results(request: Visit, batch: RefundBatch) -> dict[str, Any]:
    upload = request.FILES.get("file")
    try:
        actor = may_pay_out(request.user, batch.company_id).username
        if upload is None:
            return {"error": say("请选一个文件。")}
        done = take_results(
            upload.read(), upload.name or "file", company=batch.company_id, actor=actor, today=timezone.localdate()
        )
    except PayoutError as refused:
        return {"error": str(refused)}
    if done.findings:
        return {"error": say("结果文件有问题,一行也没有记:"), "sentences": [_sentence(each) for each in done.findings]}
    messages.success(
        request,
        say(
            "已付 {paid} 笔,失败 {failed} 笔,以前记过 {known} 笔。",
            paid=done.paid,
            failed=done.failed,
            known=done.known,
        ),
    )
    return {}


def _sentence(finding: Finding) -> str:
    return finding.sentence("en" if in_english() else "zh")


def refund_payouts_table(request: Visit, pk: int, form: str) -> HttpResponseBase:
    """The list for the bank or platform: what is on its way, without names and doors."""
    batch = get_object_or_404(_batches(request), pk=pk)
    rows = batch.payouts.filter(state=RefundPayout.State.IN_TRANSIT).select_related("home", "refund_of").order_by("id")
    return table_answer(form, f"payouts-{batch.pk}", "付款名单", LIST_HEADS, list_lines(rows), summed=False)


def refund_batch_table(request: Visit, pk: int, form: str) -> HttpResponseBase:
    batch = get_object_or_404(_batches(request), pk=pk)
    heads = ["户(隐去门牌)", "条款", "判定", "原来(元)", "现在(元)", "本批(元)", "规则包"]
    lines = (
        [
            masked(each.home), each.clause, each.item, Fen(each.before_fen), Fen(each.target_fen),
            Fen(each.amount_fen), each.evidence.get("pack", ""),
        ]
        for each in batch.items.select_related("home__building").order_by("id").iterator(chunk_size=2000)
    )  # fmt: skip
    return table_answer(form, f"refunds-{batch.pk}", "退费", heads, lines)
