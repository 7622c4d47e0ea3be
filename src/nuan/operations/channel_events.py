"""Messages of a payment channel as they happen: signed, once, and in whatever order they arrive.

The signature is HMAC-SHA256 over `timestamp.body` with the secret of that company and channel; a message older or newer than the window
is a replay. The answer is given after the commit: a channel that hears no 2xx sends again, and again changes nothing.
"""

import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction

from nuan.operations.acts import act
from nuan.operations.open_bills import books_of
from nuan.operations.payment_booking import Receipt, book_receipts, lock_channel, lock_placing
from nuan.operations.refund_payouts import by_number, settle_payout
from nuan.records.billing.channels.cell_values import masked_payer, payer_key
from nuan.records.billing.matching import match, tokens
from nuan.records.billing.models import ChannelEvent, Payment, RefundPayout
from nuan.terms.places import CHINA

WINDOW_S = 300
LONGEST_BODY = 64 * 1024
KINDS = ("payment.succeeded", "refund.succeeded", "refund.failed")


class EventError(ValueError):
    """Why a message is not taken; `status` is what HTTP calls it."""

    status = 400


class SignatureError(EventError):
    status = 401

    def __init__(self, why: str) -> None:
        super().__init__(f"签名或时间不对：{why} / signature or timestamp refused")


class EventShapeError(EventError):
    def __init__(self, what: str) -> None:
        super().__init__(f"消息内容不对：{what} / malformed event")


class EventConflictError(EventError):
    status = 409

    def __init__(self, what: str) -> None:
        super().__init__(f"与已收到的不一致：{what} / conflicts with what is known")


class TooEarlyError(EventError):
    status = 409

    def __init__(self, number: str) -> None:
        super().__init__(f"付款 {number} 还没有发出，请稍后再通知 / that payout is not sent yet")


@dataclass(frozen=True)
class Event:
    id: str
    kind: str
    txn_id: str
    amount_fen: int
    at: datetime
    reference: str = ""
    payer: str = ""
    payer_key: str = ""
    payout: str = ""
    why: str = ""


def signature(secret: str, timestamp: str, body: bytes) -> str:
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


def check_signature(secret: str, timestamp: str, given: str, body: bytes, now: datetime) -> None:
    """Raises SignatureError. The timestamp is whole epoch seconds."""
    if not secret:
        raise SignatureError("没有为这个渠道设密钥")
    if not hmac.compare_digest(signature(secret, timestamp, body).encode(), given.encode()):
        raise SignatureError("签名不符")
    if not timestamp.isdecimal() or abs(int(now.timestamp()) - int(timestamp)) > WINDOW_S:
        raise SignatureError(f"时间超出 {WINDOW_S} 秒")


def read_event(body: bytes) -> Event:
    """Raises EventShapeError."""
    try:
        found: Any = json.loads(body)
        event = Event(
            id=_text(found["id"], 60), kind=_text(found["kind"], 24), txn_id=_text(found["txn_id"], 80), amount_fen=found["amount_fen"],
            at=datetime.fromisoformat(found["at"]), reference=_text(found.get("reference", ""), 200),
            payer=masked_payer(_text(found.get("payer", ""), 60)), payer_key=payer_key(found.get("payer", "")), payout=_text(found.get("payout", ""), 40), why=_text(found.get("why", ""), 200),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError, UnicodeDecodeError) as error:
        raise EventShapeError(str(error)[:80]) from None
    if event.kind not in KINDS:
        raise EventShapeError(f"kind {event.kind}")
    if (
        type(event.amount_fen) is not int
        or event.amount_fen <= 0
        or event.at.tzinfo is None
        or not event.id
        or not event.txn_id
    ):
        raise EventShapeError("amount_fen、at、id、txn_id")
    return event


def _text(value: object, longest: int) -> str:
    if not isinstance(value, str) or len(value) > longest:
        raise EventShapeError("字段应是文字且不过长")
    return value


def receive_event(
    *, company: str, channel: str, body: bytes, timestamp: str, given: str, secret: str, now: datetime
) -> ChannelEvent:  # fmt: skip
    """Take in one message; the record of it says what it did. Raises EventError."""
    check_signature(secret, timestamp, given, body, now)
    event = read_event(body)
    digest, event_id = hashlib.sha256(body).hexdigest(), f"{company}:{event.id}"
    actor = f"channel:{channel}"
    with act("receive_channel_event", actor=actor, subject=f"{company}/{channel}") as row, transaction.atomic():
        lock_channel(company, channel)
        there = ChannelEvent.objects.filter(channel=channel, event_id=event_id).first()
        if there is not None:
            row.nothing_changed = True
            if there.body_digest != digest:
                raise EventConflictError(f"编号 {event.id} 的内容变了")
            return there
        today = now.astimezone(CHINA).date()
        if event.at.astimezone(CHINA).date() > today:
            raise EventShapeError("交易时间在将来")
        if event.kind == "payment.succeeded":
            outcome = _paid(event, company, channel, actor, today)
        else:
            outcome = _refunded(event, company, channel, actor)
        row.details = {"event": event.id, "kind": event.kind, "outcome": outcome}
        return ChannelEvent.objects.create(
            channel=channel,
            event_id=event_id,
            kind=event.kind,
            txn_id=event.txn_id,
            body_digest=digest,
            outcome=outcome,
        )


def _paid(event: Event, company: str, channel: str, actor: str, today: date) -> str:
    there = Payment.objects.filter(company=company, channel=channel, txn_id=event.txn_id).first()
    if there is not None:
        if there.amount_fen != event.amount_fen:
            raise EventConflictError(f"交易 {event.txn_id} 的金额")
        return "known"
    lock_placing(company)
    found = match([event.reference], event.amount_fen, books_of(company, tokens([event.reference])))
    receipt = Receipt(
        channel, event.txn_id, event.amount_fen, event.at, references=[event.reference], payer=event.payer, payer_key=event.payer_key,
        parts=[part for part in found.parts if part.fen], doubt=found.doubt, home_id=found.home_id,
    )  # fmt: skip
    book_receipts(company, [receipt], today=today, actor=actor)
    return "applied"


def _refunded(event: Event, company: str, channel: str, actor: str) -> str:
    payout = by_number(company, event.payout)
    if payout is None:
        return "unknown"
    if payout.amount_fen != event.amount_fen:
        raise EventConflictError(f"付款 {payout.number} 的金额")
    if payout.channel not in {"", channel}:
        raise EventConflictError(f"付款 {payout.number} 的渠道")
    paid = event.kind == "refund.succeeded"
    wanted = RefundPayout.State.PAID if paid else RefundPayout.State.FAILED
    if payout.state == wanted:
        return "known"
    if payout.state == RefundPayout.State.PENDING:
        raise TooEarlyError(payout.number)
    if payout.state != RefundPayout.State.IN_TRANSIT:
        return "superseded"
    settle_payout(
        payout, paid=paid, on=event.at.astimezone(CHINA).date(), actor=actor, channel_txn=event.txn_id, why=event.why
    )
    return "applied"
