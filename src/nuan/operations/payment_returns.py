"""Money that came by mistake, back the way it came: 待查款项 → 待退款项 → 退费在途 → paid, proposed by one person and approved by another.

Each step looks at the return under a lock and is booked under a key of its own, so a form that is sent twice changes nothing. What
fails is reversed to where it came from: it is open again and waits in the queue.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import date

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from nuan.operations import approvals
from nuan.operations.acts import act
from nuan.operations.ledger import Leg, account, post, reverse
from nuan.operations.payment_booking import PAYMENTS_CLAUSE
from nuan.operations.payment_queue import MoreThanOpenError, NoReasonError, PlacingError, payment_in_line
from nuan.operations.refund_payouts import ACCOUNT_OF
from nuan.records.accounts.models import Role, User
from nuan.records.billing.models import Entry, LedgerPeriod, Payment, PaymentReturn, Proposal

KIND = "payment_return"
State = PaymentReturn.State
LIVE = (State.PROPOSED, State.PENDING, State.IN_TRANSIT)


class NoWayBackError(PlacingError):
    def __init__(self) -> None:
        super().__init__("预存余额不能原路退回，请存入住户余额 / credit does not go back through a channel")


class ReturnStateError(PlacingError):
    def __init__(self, found: PaymentReturn, asked: str) -> None:
        super().__init__(f"退回 {found.number} 现在是“{found.get_state_display()}”，不能{asked} / it is {found.state}")


class AskedOtherwiseError(PlacingError):
    def __init__(self, found: PaymentReturn) -> None:
        super().__init__(
            f"退回 {found.number} 已在等审批，请先撤回 / another return of this payment waits for approval"
        )


class MonthClosedError(PlacingError):
    def __init__(self, on: date) -> None:
        super().__init__(f"{on:%Y-%m} 已经结账，请写一个未结账月份的日期 / the books of that month are closed")


class NotThisFinanceError(PlacingError):
    def __init__(self, name: str) -> None:
        super().__init__(f"{name} 不是该企业的财务，不能办理退回 / only finance of the company does that")


def content_hash(payment: Payment, amount_fen: int, why: str) -> str:
    """Of what both people see: the payment with what is open of it now, the amount, the reason."""
    told = [payment.company_id, payment.channel, payment.txn_id, payment.amount_fen, payment.open_fen, amount_fen, why]
    return hashlib.sha256(json.dumps(told, ensure_ascii=False).encode()).hexdigest()


def live_returns(company: str) -> QuerySet[PaymentReturn]:
    """Those that somebody has to do something about, the oldest first."""
    return PaymentReturn.objects.filter(company=company, state__in=LIVE).select_related("payment").order_by("id")


def proposal_of(found: PaymentReturn) -> Proposal | None:
    return approvals.newest(KIND, found.subject)


def _locked(pk: int) -> PaymentReturn:
    return PaymentReturn.objects.select_for_update(of=("self",)).select_related("payment").get(pk=pk)


def propose_return(payment_id: int, amount_fen: int, *, by: User, why: str) -> PaymentReturn:
    """Ask another person to send back what is open of a payment, or a part of it. The same again is the one that is there.

    Raises NoReasonError, NoWayBackError, MoreThanOpenError, AskedOtherwiseError, ApprovalError.
    """
    why = why.strip()[:200]
    if not why:
        raise NoReasonError
    with act("propose_return", actor=by.username, why=why) as row, transaction.atomic():
        payment = payment_in_line(payment_id)
        if payment.channel not in ACCOUNT_OF:
            raise NoWayBackError
        asked = PaymentReturn.objects.filter(payment=payment, state=State.PROPOSED).first()
        if asked is not None:
            if (asked.amount_fen, asked.why, asked.proposed_by) != (amount_fen, why, by.username):
                raise AskedOtherwiseError(asked)
            row.nothing_changed = True
            return asked
        if not 0 < amount_fen <= payment.open_fen:
            raise MoreThanOpenError("这笔收款", amount_fen, payment.open_fen)
        found = PaymentReturn.objects.create(
            payment=payment, company_id=payment.company_id, amount_fen=amount_fen, why=why, proposed_by=by.username,
            content_hash=content_hash(payment, amount_fen, why),
        )  # fmt: skip
        approvals.propose(
            kind=KIND, subject=found.subject, company=payment.company_id, content_hash=found.content_hash, by=by,
            summary={"payment": payment.pk, "amount_fen": amount_fen},
        )  # fmt: skip
        row.subject, row.details = f"payment:{payment.pk}", {"return": found.number, "amount_fen": amount_fen}
    return found


def decide_return(found: PaymentReturn, *, by: User, seen_hash: str, today: date, approve: bool = True, why: str = "") -> PaymentReturn:  # fmt: skip
    """Another person's yes books it out of 待查款项 at once; a no leaves the money in the queue.

    Raises ReturnStateError, and ApprovalError: the same person, or another part of the payment is open than was proposed on.
    """
    with act("book_return", actor=by.username, why=why) as row, transaction.atomic():
        payment = payment_in_line(found.payment_id)
        found = _locked(found.pk)
        proposal = proposal_of(found)
        if found.state != State.PROPOSED or proposal is None:
            raise ReturnStateError(found, "再审批")
        now_hash = content_hash(payment, found.amount_fen, found.why) if approve else found.content_hash
        approvals.decide(proposal, by=by, seen_hash=seen_hash, content_hash=now_hash, approve=approve, why=why)
        if approve:
            _book(found, "payable", today, by.username, "suspense", "return_payable", "原路退回")
            payment.open_fen -= found.amount_fen
            payment.doubt = payment.doubt if payment.open_fen else ""
            payment.save(update_fields=["open_fen", "doubt"])
        found.state = State.PENDING if approve else State.REJECTED
        found.answer = "" if approve else why.strip()[:200]
        found.save(update_fields=["state", "answer"])
        row.subject, row.details = f"payment:{payment.pk}", {"return": found.number, "approved": approve}
    return found


def withdraw_return(found: PaymentReturn, *, by: User, why: str) -> PaymentReturn:
    """Finance of the company takes back what nobody has approved yet. Raises ReturnStateError, NotThisFinanceError, NoReasonError."""
    if not why.strip():
        raise NoReasonError
    with act("withdraw_return", actor=_finance(by, found), subject=f"payment:{found.payment_id}", why=why.strip()):
        found = _locked(found.pk)
        if found.state != State.PROPOSED:
            raise ReturnStateError(found, "撤回")
        found.state, found.answer = State.REJECTED, why.strip()[:200]
        found.save(update_fields=["state", "answer"])
    return found


def send_return(found: PaymentReturn, *, by: User, today: date) -> PaymentReturn:
    """On its way, through the channel that it came by. Sent already: stays as it is. Raises ReturnStateError, NotThisFinanceError."""
    with act("send_return", actor=_finance(by, found), subject=f"payment:{found.payment_id}") as row:
        found = _locked(found.pk)
        if found.state == State.IN_TRANSIT:
            row.nothing_changed = True
            return found
        if found.state != State.PENDING:
            raise ReturnStateError(found, "发出")
        _book(found, "sent", today, by.username, "return_payable", "refund_transit", "退回付款")
        found.state, found.sent_at = State.IN_TRANSIT, timezone.now()
        found.save(update_fields=["state", "sent_at"])
        row.details = {"return": found.number, "amount_fen": found.amount_fen}
    return found


@dataclass(frozen=True, slots=True)
class Answer:
    """What the channel says about a return."""

    paid: bool
    on: date
    channel_txn: str = ""
    why: str = ""


def settle_return(found: PaymentReturn, answer: Answer, *, by: User) -> PaymentReturn:
    """Paid: it leaves the channel's account. Failed: both steps are reversed and the money is open again, for a person to look at.

    The same answer again changes nothing; another raises ReturnStateError. A day of a closed month: MonthClosedError.
    """
    wanted = State.PAID if answer.paid else State.FAILED
    with act("settle_return", actor=_finance(by, found), subject=f"payment:{found.payment_id}", why=answer.why) as row:
        payment = payment_in_line(found.payment_id)
        found = _locked(found.pk)
        if found.state == wanted:
            row.nothing_changed = True
            return found
        if found.state != State.IN_TRANSIT:
            raise ReturnStateError(found, "记为已付" if answer.paid else "记为失败")
        if LedgerPeriod.objects.filter(company=found.company_id, period=f"{answer.on:%Y-%m}").exists():
            raise MonthClosedError(answer.on)
        found.state, found.done_on, found.channel_txn, found.answer = wanted, answer.on, answer.channel_txn[:80], answer.why.strip()[:200]  # fmt: skip
        if answer.paid:
            role = ACCOUNT_OF[payment.channel]
            _book(found, "paid", answer.on, by.username, "refund_transit", role, "退回已付")
        else:
            for step in ("sent", "payable"):
                entry = Entry.objects.get(key=f"return:{found.pk}:{step}")
                reverse(entry, why=found.answer or "付款失败", actor=by.username, on=answer.on)
            payment.open_fen += found.amount_fen
            payment.doubt = payment.doubt or "nothing_open"
            payment.save(update_fields=["open_fen", "doubt"])
        found.save(update_fields=["state", "done_on", "channel_txn", "answer"])
        row.details = {"return": found.number, "state": str(wanted), "amount_fen": found.amount_fen}
    return found


def _finance(by: User, found: PaymentReturn) -> str:
    if by.role != Role.FINANCE or by.company_id != found.company_id:
        raise NotThisFinanceError(by.username)
    return by.username


def _book(found: PaymentReturn, step: str, on: date, actor: str, debit: str, credit: str, words: str) -> None:
    company, fen = found.company_id, found.amount_fen
    legs: list[Leg] = [(account(company, debit), fen), (account(company, credit), -fen)]
    details = {"return": found.number, "payment": found.payment_id, "channel_txn": found.channel_txn}
    post(
        key=f"return:{found.pk}:{step}", kind="payment_return", on=on, postings=legs, actor=actor, clause=PAYMENTS_CLAUSE,
        memo=f"{words} {found.number}", details=details,
    )  # fmt: skip
