"""What waits for the finance people of a company, counted: exceptions first."""

from dataclasses import dataclass
from datetime import date

from django.db.models import Count, Min, Sum

from nuan.operations import approvals
from nuan.operations.bill_changes import KIND as CHANGE
from nuan.operations.bill_runs import KIND
from nuan.operations.channel_refunds import open_refunds
from nuan.operations.open_bills import Unpaid, unpaid_by_age
from nuan.operations.payment_returns import live_returns
from nuan.operations.refund_batches import proposal_of
from nuan.operations.refund_status import CompanyRefunds, by_company
from nuan.records.accounts.models import User
from nuan.records.billing.chart import CHART
from nuan.records.billing.models import (
    Bill,
    BillRun,
    ChannelRefund,
    CounterDay,
    Decision,
    Payment,
    PaymentFile,
    PaymentReturn,
    Posting,
    Proposal,
    RefundBatch,
    RefundPayout,
)

ATTEMPTED = 2
"""A payout of this attempt or later: one before it has failed."""


@dataclass(frozen=True)
class Waiting:
    """How many, how much, and since when the oldest."""

    count: int
    fen: int
    since: date | None = None


@dataclass(frozen=True)
class Desk:
    """`to_approve` are batches that this person may decide on, `to_post` those that another has approved, bill runs alike;
    `returns` wait for this person's yes, for sending, or for the channel's answer; `channel_refunds` for a proposal or this person's yes."""

    queue: Waiting
    refused: list[PaymentFile]
    to_approve: list[RefundBatch]
    by_others: list[RefundBatch]
    to_post: list[RefundBatch]
    failed: Waiting
    pending: Waiting
    in_transit: Waiting
    days_open: list[date]
    unpaid: list[Unpaid]
    refunds: list[CompanyRefunds]
    runs_to_approve: list[BillRun]
    runs_by_others: list[BillRun]
    runs_to_post: list[BillRun]
    bills_to_approve: list[Bill]
    returns: list[PaymentReturn]
    channel_refunds: list[ChannelRefund]
    credit_fen: int

    @property
    def unpaid_fen(self) -> int:
        return sum(each.fen for each in self.unpaid)

    @property
    def quiet(self) -> bool:
        """Nothing is out of order."""
        batches, runs = self.to_approve or self.to_post, self.runs_to_approve or self.runs_to_post
        waiting = batches or runs or self.bills_to_approve or self.returns or self.channel_refunds
        return not (self.queue.count or self.refused or waiting or self.failed.count or self.days_open)


def desk(company: str, person: User, today: date) -> Desk:
    queue = Payment.objects.filter(company=company, open_fen__gt=0).aggregate(
        n=Count("id"), fen=Sum("open_fen"), since=Min("paid_at__date")
    )
    proposed = list(RefundBatch.objects.filter(company=company, state=RefundBatch.State.PROPOSED).order_by("id"))
    standing = {batch.pk: _standing(batch) for batch in proposed}
    waiting = [batch for batch in proposed if not standing[batch.pk]]
    mine = {batch.pk for batch in waiting if (proposal := proposal_of(batch)) and proposal.proposed_by_id == person.pk}
    runs = _runs(company)
    return Desk(
        queue=Waiting(int(queue["n"]), int(queue["fen"] or 0), queue["since"]),
        refused=list(PaymentFile.objects.filter(company=company, state=PaymentFile.State.REFUSED, seen_at=None).order_by("-id")[:20]),
        to_approve=[batch for batch in waiting if batch.pk not in mine],
        by_others=[batch for batch in waiting if batch.pk in mine],
        to_post=[batch for batch in proposed if standing[batch.pk] == "approved"],
        failed=_payouts(company, state="pending", attempt__gte=ATTEMPTED),
        pending=_payouts(company, state="pending", attempt__lt=ATTEMPTED),
        in_transit=_payouts(company, state="in_transit"),
        days_open=_days_open(company, today),
        unpaid=unpaid_by_age(company, today),
        refunds=by_company(today, company=company),
        runs_to_approve=[run for run, asked, said in runs if not said and asked.proposed_by_id != person.pk],
        runs_by_others=[run for run, asked, said in runs if not said and asked.proposed_by_id == person.pk],
        runs_to_post=[run for run, _, said in runs if said == Decision.Answer.APPROVED],
        bills_to_approve=_changes(company, person),
        returns=_returns(company, person),
        credit_fen=_credit_fen(company),
        channel_refunds=[each for each in open_refunds(company)[:20] if each.state == "found" or each.proposed_by != person.username],
    )  # fmt: skip


def _credit_fen(company: str) -> int:
    """What homes have paid too much or in advance, by the ledger."""
    rows = Posting.objects.filter(
        account__company=company, account__code__startswith=f"{company}/{CHART['prepaid'].number}/"
    )
    return -int(rows.aggregate(fen=Sum("amount_fen"))["fen"] or 0)


def _runs(company: str) -> list[tuple[BillRun, Proposal, str]]:
    """Bill runs that are proposed and not posted, each with its newest proposal and what was decided."""
    proposals = Proposal.objects.filter(kind=KIND, company=company).order_by("id")
    newest = {proposal.subject: proposal for proposal in proposals}
    runs = BillRun.objects.filter(company=company, posting=None).order_by("id")
    return [(run, asked, approvals.standing(asked)) for run in runs if (asked := newest.get(run.subject)) is not None]


def _changes(company: str, person: User) -> list[Bill]:
    """Bills about which an adjustment or a cancellation waits for this person's decision."""
    newest = {each.subject: each for each in Proposal.objects.filter(company=company, kind=CHANGE).order_by("id")}
    asked = [
        key.removeprefix("bill:")
        for key, each in newest.items()
        if each.proposed_by_id != person.pk and not each.decisions.exists()
    ]
    return list(Bill.objects.filter(company=company, number__in=asked).order_by("id"))


def _returns(company: str, person: User) -> list[PaymentReturn]:
    """Money on its way back for which this person can do something: what they proposed another has to approve."""
    rows = live_returns(company)
    return [each for each in rows[:20] if each.state != "proposed" or each.proposed_by != person.username]


def _standing(batch: RefundBatch) -> str:
    proposal = proposal_of(batch)
    return approvals.standing(proposal) if proposal is not None else ""


def _payouts(company: str, **which: object) -> Waiting:
    found = RefundPayout.objects.filter(company=company, **which).aggregate(
        n=Count("id"), fen=Sum("amount_fen"), since=Min("created_at__date")
    )
    return Waiting(int(found["n"]), int(found["fen"] or 0), found["since"])


def _days_open(company: str, today: date) -> list[date]:
    """Days before today with cash that nobody has counted."""
    days = (
        Payment.objects.filter(company=company, channel="counter", paid_at__date__lt=today)
        .values_list("paid_at__date", flat=True)
        .distinct()
    )
    closed = set(CounterDay.objects.filter(company=company).values_list("day", flat=True))
    return sorted(set(days) - closed)[-20:]
