"""Refunds and revocations that a channel made and nobody here sent, found in its file: listed, proposed, approved by another, booked once.

The money has left the channel's account already. Booking says so: 待查款项 (or 手续费) against the account of the channel. What of the
payment is placed on bills is taken back as far as needed, newest first, so that the bill is open again for what has gone.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import QuerySet

from nuan.operations import approvals
from nuan.operations.acts import act
from nuan.operations.ledger import Leg, account, open_day, post
from nuan.operations.payment_booking import PAYMENTS_CLAUSE, allocate, lock_placing
from nuan.operations.payment_queue import NoReasonError, PlacingError, take_back
from nuan.records.accounts.models import User
from nuan.records.billing.channels.payment_row import PaymentRow
from nuan.records.billing.channels.profile import profile
from nuan.records.billing.matching import Part
from nuan.records.billing.models import Allocation, ChannelRefund, Entry, Payment, PaymentFile, PaymentReturn, Proposal
from nuan.terms.findings import Finding
from nuan.terms.places import CHINA

KIND = "channel_refund"
State, Kind = ChannelRefund.State, ChannelRefund.Kind
SURE = ("", "SUCCESS")
"""States of a file under which the money has gone; any other has to be looked up at the channel, because the file never changes."""


class NoReceiptError(PlacingError):
    def __init__(self, found: ChannelRefund) -> None:
        super().__init__(f"原收款 {found.of_txn} 还没有导入，先导入那一天的账单 / the receipt is not taken in yet")


class ChannelRefundStateError(PlacingError):
    def __init__(self, found: ChannelRefund) -> None:
        super().__init__(f"这笔现在是“{found.get_state_display()}” / it is {found.state}")


class MoreThanLeftError(PlacingError):
    def __init__(self, asked: int, left: int) -> None:
        super().__init__(
            f"退了 {asked / 100:.2f} 元，这笔收款只剩 {left / 100:.2f} 元没有退 / more than is left of the receipt"
        )


@dataclass(frozen=True, slots=True)
class Waiting:
    """A row of a file that somebody has to propose: `amount_fen` is 0 where only the fee of a refund of ours came back."""

    row: PaymentRow
    kind: str
    amount_fen: int


def look_at_rows(
    company: str, channel: str, name: str, rows: Sequence[PaymentRow], own: Sequence[PaymentRow]
) -> tuple[list[Waiting], list[Finding]]:
    """`rows` say what nobody here has sent, `own` answer refunds of ours and matter where they bring a fee back.

    What an earlier file has brought is not told again. Findings say what waits for a person.
    """
    waiting, findings = [], []
    known = dict(
        ChannelRefund.objects.filter(
            company=company, channel=channel, txn_id__in=[row.txn_id for row in (*rows, *own)]
        ).values_list("txn_id", "amount_fen")
    )
    for row in rows:
        ours = _our_return(row, company, channel)
        if ours is None:
            waiting.append(Waiting(row, Kind.REVOKED if row.kind == "revoked" else Kind.REFUND, row.amount_fen))
        elif ours.state == PaymentReturn.State.IN_TRANSIT:
            findings.append(Finding(name, "return_waits", f"原路退回 {ours.number} 已到账，还没有记结果", "a return of ours has arrived", "在这笔收款的页面记为退回成功。", row=row.row, severity="warning"))  # fmt: skip
    waiting += [Waiting(row, Kind.FEE, 0) for row in own if row.fee_fen]
    for each in waiting:
        said = known.get(each.row.txn_id)
        if said is None:
            zh, en = (
                ("渠道退回了手续费", "a fee came back")
                if each.kind == Kind.FEE
                else ("这笔退款不是从系统付出的", "a refund that we did not send")
            )
            findings.append(Finding(name, "refund_unknown", zh, en, "在“平台退款”页核对后提请入账。", row=each.row.row, severity="warning"))  # fmt: skip
        elif said != each.amount_fen:
            findings.append(Finding(name, "known_otherwise", f"这笔退款以前导入过，金额是 {said / 100:.2f} 元", "this refund is known with another amount", "向渠道核实哪一份是真的。", row=each.row.row, severity="warning"))  # fmt: skip
    return waiting, findings


def keep_rows(waiting: Sequence[Waiting], file: PaymentFile) -> None:
    """Into the list, once each; receipts of the same file are there already."""
    for each in waiting:
        row = each.row
        ChannelRefund.objects.get_or_create(
            company_id=file.company_id, channel=file.channel, txn_id=row.txn_id,
            defaults={
                "kind": each.kind, "of_txn": row.refund_of, "amount_fen": each.amount_fen, "fee_fen": -row.fee_fen, "happened_at": row.paid_at,
                "channel_state": row.state, "file": file, "row": row.row, "payment": _receipt(file.company_id, file.channel, row.refund_of),
            },
        )  # fmt: skip


def _our_return(row: PaymentRow, company: str, channel: str) -> PaymentReturn | None:
    """The return of ours that a row answers: by our number, or by the channel's number that a person wrote down."""
    rows = PaymentReturn.objects.filter(company=company, payment__channel=channel, amount_fen=row.amount_fen)
    digits = row.payout.removeprefix("NH")
    if row.payout.startswith("NH") and digits.isdecimal() and len(digits) < 19:
        return rows.filter(pk=int(digits)).first()
    return rows.filter(channel_txn=row.txn_id).first()


def _receipt(company: str, channel: str, txn: str) -> Payment | None:
    return Payment.objects.filter(company=company, channel=channel, txn_id=txn).first() if txn else None


def open_refunds(company: str) -> QuerySet[ChannelRefund]:
    """What is not booked, the oldest first."""
    rows = ChannelRefund.objects.filter(company=company).exclude(state=State.BOOKED)
    return rows.select_related("payment__home__building", "file").order_by("happened_at", "id")


def standing_parts(payment: Payment) -> list[Allocation]:
    """What of a payment is placed and not taken back, the newest first."""
    rows = payment.allocations.filter(undoes=None, undone_by=None).select_related("bill", "home__building", "entry")
    return list(rows.order_by("-id"))


def content_hash(found: ChannelRefund, why: str) -> str:
    """Of what both people see: the refund, its receipt, what is open of that and what is placed."""
    payment = found.payment
    told = [found.company_id, found.channel, found.txn_id, found.amount_fen, found.fee_fen, why]
    if payment is not None and found.amount_fen:
        told += [payment.txn_id, payment.open_fen, [[each.pk, each.amount_fen] for each in standing_parts(payment)]]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()


def proposal_of(found: ChannelRefund) -> Proposal | None:
    return approvals.newest(KIND, found.subject)


def _locked(pk: int) -> ChannelRefund:
    """Held until the end of the transaction, the receipt with it; the company's line comes first, as it does for whoever places."""
    lock_placing(ChannelRefund.objects.values_list("company_id", flat=True).get(pk=pk))
    found = ChannelRefund.objects.select_for_update(of=("self",)).get(pk=pk)
    payment = found.payment or _receipt(found.company_id, found.channel, found.of_txn)
    if payment is not None:
        found.payment = Payment.objects.select_for_update().get(pk=payment.pk)
    return found


def propose_channel_refund(pk: int, *, by: User, why: str) -> ChannelRefund:
    """Ask another person to agree to booking it. The same again is the one that is there.

    Raises NoReasonError, NoReceiptError, MoreThanLeftError, ChannelRefundStateError, ApprovalError.
    """
    why = why.strip()[:200]
    if not why:
        raise NoReasonError
    with act("ask_channel_refund", actor=by.username, why=why) as row, transaction.atomic():
        found = _locked(pk)
        if found.state == State.PROPOSED and (found.why, found.proposed_by) == (why, by.username):
            row.nothing_changed = True
            return found
        if found.state != State.FOUND:
            raise ChannelRefundStateError(found)
        _left_of_receipt(found)
        found.state, found.why, found.proposed_by, found.answer = State.PROPOSED, why, by.username, ""
        found.content_hash = content_hash(found, why)
        found.save(update_fields=["state", "why", "proposed_by", "answer", "content_hash", "payment"])
        approvals.propose(
            kind=KIND, subject=found.subject, company=found.company_id, content_hash=found.content_hash, by=by,
            summary={"amount_fen": found.amount_fen, "fee_fen": found.fee_fen, "txn_id": found.txn_id},
        )  # fmt: skip
        row.subject, row.details = found.subject, {"amount_fen": found.amount_fen, "of": found.of_txn}
    return found


def _left_of_receipt(found: ChannelRefund) -> None:
    """Raises NoReceiptError, MoreThanLeftError."""
    if not found.amount_fen:
        return
    if found.payment is None:
        raise NoReceiptError(found)
    left = found.payment.open_fen + sum(each.amount_fen for each in standing_parts(found.payment))
    if found.amount_fen > left:
        raise MoreThanLeftError(found.amount_fen, left)


def decide_channel_refund(
    pk: int, *, by: User, seen_hash: str, today: date, approve: bool = True, why: str = ""
) -> ChannelRefund:
    """Another person's yes books it at once; a no leaves it in the list with the reason.

    Raises ChannelRefundStateError, MoreThanLeftError, CreditSpentError, ApprovalError (the same person; another content than proposed).
    """
    with act("book_channel_refund", actor=by.username, why=why) as row, transaction.atomic():
        found = _locked(pk)
        proposal = proposal_of(found)
        if found.state != State.PROPOSED or proposal is None:
            raise ChannelRefundStateError(found)
        now_hash = content_hash(found, found.why) if approve else found.content_hash
        approvals.decide(proposal, by=by, seen_hash=seen_hash, content_hash=now_hash, approve=approve, why=why)
        row.subject, row.details = found.subject, {"approved": approve, "amount_fen": found.amount_fen}
        if not approve:
            found.state, found.answer = State.FOUND, why.strip()[:200]
            found.save(update_fields=["state", "answer"])
            return found
        if found.amount_fen:
            _left_of_receipt(found)
            _set_free(found, by.username, today)
        found.entry = _book(found, by.username)
        found.state = State.BOOKED
        found.save(update_fields=["state", "entry"])
    return found


def withdraw_channel_refund(pk: int, *, by: User, why: str) -> ChannelRefund:
    """Whoever proposed takes it back while nobody has decided. Raises ChannelRefundStateError, NoReasonError."""
    if not why.strip():
        raise NoReasonError
    with act("withdraw_channel_refund", actor=by.username, why=why.strip()) as row, transaction.atomic():
        found = _locked(pk)
        if found.state != State.PROPOSED or found.proposed_by != by.username:
            raise ChannelRefundStateError(found)
        found.state, found.answer = State.FOUND, why.strip()[:200]
        found.save(update_fields=["state", "answer"])
        row.subject = found.subject
    return found


def _set_free(found: ChannelRefund, actor: str, today: date) -> None:
    """Take placings of the receipt back, newest first, until so much is open; what a placing had beyond that stays where it was."""
    payment = found.payment
    assert payment is not None
    why = f"渠道已退款 {found.txn_id}"[:200]
    for each in standing_parts(payment):
        if payment.open_fen >= found.amount_fen:
            break
        take_back(each.pk, actor=actor, today=today, why=why)
        payment.refresh_from_db()
        spare = min(payment.open_fen - found.amount_fen, each.amount_fen)
        if spare > 0:
            part = Part(each.home_id, each.bill_id, spare, "person")
            allocate(payment, [part], on=today, actor=actor, why=why)
    payment.open_fen -= found.amount_fen
    payment.doubt = payment.doubt if payment.open_fen else ""
    payment.save(update_fields=["open_fen", "doubt"])


def _book(found: ChannelRefund, actor: str) -> Entry:
    company, day = found.company_id, found.happened_at.astimezone(CHINA).date()
    legs: list[Leg] = [
        (account(company, "suspense"), found.amount_fen),
        (account(company, profile(found.channel).account), found.fee_fen - found.amount_fen),
        (account(company, "bank_fees"), -found.fee_fen),
    ]
    details = {
        "channel_refund": found.pk,
        "payment": found.payment_id,
        "txn_id": found.txn_id,
        "of_txn": found.of_txn,
        "on": day.isoformat(),
    }
    return post(
        key=found.subject, kind="channel_refund", on=open_day(company, day), postings=legs, actor=actor, clause=PAYMENTS_CLAUSE,
        memo=f"{found.get_kind_display()} {found.txn_id}"[:200], details=details,
    )  # fmt: skip
