"""Booking an approved batch: one entry an item, with its clause and evidence; what is payable becomes a payout to the home.

A positive item raises what is owed to the home. An item that takes back lowers it as far as it is not paid out yet; what has been paid
already becomes a claim on the home, and nothing is silently changed.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

import polars as pl
from django.db import transaction
from django.utils import timezone

from nuan.operations import approvals
from nuan.operations.acts import act
from nuan.operations.bulk import change_rows
from nuan.operations.city_packs import season_of, signed_records
from nuan.operations.ledger import account
from nuan.operations.ledger_bulk import home_accounts
from nuan.operations.payment_booking import Legs
from nuan.operations.refund_batches import KIND, BatchSettledError, _one_at_a_time, _still_judged, content_hash
from nuan.operations.refund_notices import tell_posted
from nuan.operations.refund_payouts import may_pay_out
from nuan.operations.refund_set_off import book_set_off, owed_by_home
from nuan.policies import catalogue
from nuan.policies.refunds.payout import payout_deadline
from nuan.records.accounts.models import User
from nuan.records.billing.models import ChannelRefund, Payment, PaymentReturn, RefundBatch, RefundItem, RefundPayout
from nuan.records.registry.models import Home
from nuan.terms.calendar import CalendarYearError

GOES_BACK = ("wechat", "alipay")
"""Channels that give a payment back the way it came."""


def post_refunds(batch: RefundBatch, *, by: User, on: date) -> RefundBatch:
    """Book an approved batch and make its payouts. Done again it changes nothing.

    Raises NotFinanceError, ApprovalError (not approved by another, or another content), JudgementMovedError, BatchSettledError.
    """
    may_pay_out(by, batch.company_id)
    with act("post_refunds", actor=by.username, subject=batch.subject) as row, transaction.atomic():
        _one_at_a_time(batch.company_id)
        batch = RefundBatch.objects.select_for_update().get(pk=batch.pk)
        if batch.state == RefundBatch.State.POSTED:
            row.nothing_changed = True
            return batch
        if batch.state != RefundBatch.State.PROPOSED:
            raise BatchSettledError(batch)
        approvals.require(kind=KIND, subject=batch.subject, content_hash=content_hash(batch))
        _still_judged(batch)
        items = list(batch.items.select_related("home").order_by("-amount_fen", "id"))
        _hold_payouts({each.home_id for each in items})
        payable = _book(batch, items, by.username, on)
        change_rows(
            RefundItem, pl.DataFrame({"id": [each.pk for each in items], "entry_id": [each.entry_id for each in items]})
        )
        batch.state, batch.posted_on, batch.posted_at = RefundBatch.State.POSTED, on, timezone.now()
        batch.save(update_fields=["state", "posted_on", "posted_at"])
        homes = {each.home_id: each.home for each in items}
        set_off = book_set_off(batch, homes, payable, on=on, actor=by.username)
        made = make_payouts(batch, homes, payable)
        tell_posted(batch, items, made, set_off)
        row.details = {"items": len(items), "amount_fen": batch.amount_fen, "payouts": len(made)}
    return batch


def _hold_payouts(homes: set[int]) -> None:
    """Nobody sends, credits or settles a payout of these homes between the look at what is owed and the payouts made from it."""
    live = RefundPayout.objects.filter(
        home__in=homes, state__in=[RefundPayout.State.PENDING, RefundPayout.State.IN_TRANSIT]
    )
    list(live.select_for_update().order_by("pk").values_list("pk", flat=True))


def _book(batch: RefundBatch, items: Sequence[RefundItem], actor: str, on: date) -> dict[int, int]:
    """An entry for each item, those that add before those that take back; what each home is then owed and not yet on its way."""
    company = batch.company_id
    homes = sorted({each.home_id for each in items})
    payable, owed = owed_by_home(company, homes, "refund_payable"), home_accounts(company, "refund_payable", homes)
    claims = home_accounts(company, "refund_claim", sorted({each.home_id for each in items if each.amount_fen < 0}))
    refund, legs = account(company, "refund").pk, Legs(company)
    for each in items:
        fen, home = each.amount_fen, each.home_id
        unpaid = fen if fen > 0 else -min(max(payable[home], 0), -fen)
        payable[home] += unpaid
        said = "退费更正" if fen < 0 else "退费补差" if each.after_id else "退费"
        details = {
            "batch": batch.pk, "item": each.item, "judgement": each.judgement_id, "digest": each.digest, "before_fen": each.before_fen,
            "target_fen": each.target_fen, "pack": each.evidence.get("pack", ""), "pack_version": each.evidence.get("pack_version", ""),
        }  # fmt: skip
        rest = [(claims[home], unpaid - fen)] if unpaid != fen else []
        legs.add(
            f"refund:{each.pk}", "refund", on, f"{each.clause} {said} {batch.season}", details, (refund, fen), (owed[home], -unpaid), *rest,
            clause=each.clause,
        )  # fmt: skip
    booked = legs.book(actor)
    for each in items:
        each.entry_id = booked[f"refund:{each.pk}"]
    return payable


def make_payouts(
    batch: RefundBatch, homes: Mapping[int, Home], payable: Mapping[int, int], kind: str = RefundPayout.Kind.REFUND
) -> dict[int, RefundPayout]:
    """Bring what waits to be paid out to each home in line with what the ledger owes it: more waits, or less.

    The payouts made, by home. One that waits and is too large is cancelled and made anew; one on its way is never touched.
    """
    waiting: dict[int, list[RefundPayout]] = defaultdict(list)
    pending = RefundPayout.objects.select_for_update().filter(
        company=batch.company_id, home__in=homes, state=RefundPayout.State.PENDING
    )
    for each in pending.order_by("id"):
        waiting[each.home_id].append(each)
    fresh: list[RefundPayout] = []
    ways = ways_back(homes)
    deadline = deadline_of(batch)
    for home_id in homes:
        rows = waiting[home_id]
        while rows and sum(row.amount_fen for row in rows) > payable[home_id]:
            row = rows.pop()
            row.state, row.why = RefundPayout.State.CANCELLED, f"批次 {batch.pk} 更正了应退金额"
            row.save(update_fields=["state", "why"])
        missing = payable[home_id] - sum(row.amount_fen for row in rows)
        if missing > 0:
            way = ways.get(home_id)
            way = way if way is not None and way.amount_fen >= missing else None
            fresh.append(
                RefundPayout(
                    batch=batch,
                    home_id=home_id,
                    company_id=batch.company_id,
                    kind=kind,
                    amount_fen=missing,
                    deadline=deadline,
                    channel=way.channel if way else "",
                    refund_of=way,
                )
            )
    RefundPayout.objects.bulk_create(fresh, batch_size=5000)
    return {each.home_id: each for each in fresh}


def ways_back(homes: Sequence[int] | Mapping[int, Home]) -> dict[int, Payment]:
    """The newest payment of each home that its channel can give back, and of which nothing has gone back yet."""
    gone = PaymentReturn.objects.filter(state__in=["pending", "in_transit", "paid"])
    by_itself = ChannelRefund.objects.filter(payment__isnull=False, amount_fen__gt=0)
    rows = (
        Payment.objects.filter(home__in=list(homes), channel__in=GOES_BACK)
        .exclude(pk__in=gone.values("payment"))
        .exclude(pk__in=by_itself.values("payment"))
        .order_by("home", "-paid_at")
        .distinct("home")
    )
    return {row.home_id: row for row in rows if row.home_id is not None}


def deadline_of(batch: RefundBatch) -> date | None:
    """The last day by the pack that decided; None where the law names none, or nobody can say yet."""
    first = batch.items.exclude(judgement_id=None).values_list("evidence", flat=True).first()
    if not first or not first.get("pack"):
        return None
    pack = catalogue.pack(first["pack"], signed_records())
    try:
        return payout_deadline(pack, season_of(pack, batch.season))[0]
    except (LookupError, CalendarYearError):
        return None
