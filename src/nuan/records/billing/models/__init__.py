"""The tables of money. Ledger, approvals and bills here; payments and refunds beside them."""

from nuan.records.billing.models.approvals import Decision, Proposal
from nuan.records.billing.models.bills import (
    Bill,
    BillCounter,
    BillException,
    BillingCard,
    BillingHold,
    BillLine,
    BillRun,
    DunningNotice,
    RunPosting,
    StopHeatApplication,
)
from nuan.records.billing.models.channel_refunds import ChannelRefund
from nuan.records.billing.models.ledger import Account, Entry, LedgerDay, LedgerPeriod, Posting
from nuan.records.billing.models.payments import Allocation, ChannelEvent, CounterDay, Payment, PaymentFile
from nuan.records.billing.models.refunds import RefundBatch, RefundItem, RefundNotice, RefundPayout, RefundSetOff
from nuan.records.billing.models.returns import PaymentReturn

__all__ = [
    "Account",
    "Allocation",
    "Bill",
    "BillCounter",
    "BillException",
    "BillLine",
    "BillRun",
    "BillingCard",
    "BillingHold",
    "ChannelEvent",
    "ChannelRefund",
    "CounterDay",
    "Decision",
    "DunningNotice",
    "Entry",
    "LedgerDay",
    "LedgerPeriod",
    "Payment",
    "PaymentFile",
    "PaymentReturn",
    "Posting",
    "Proposal",
    "RefundBatch",
    "RefundItem",
    "RefundNotice",
    "RefundPayout",
    "RefundSetOff",
    "RunPosting",
    "StopHeatApplication",
]
