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
from nuan.records.billing.models.ledger import Account, Entry, LedgerDay, LedgerPeriod, Posting

__all__ = [
    "Account",
    "Bill",
    "BillCounter",
    "BillException",
    "BillLine",
    "BillRun",
    "BillingCard",
    "BillingHold",
    "Decision",
    "DunningNotice",
    "Entry",
    "LedgerDay",
    "LedgerPeriod",
    "Posting",
    "Proposal",
    "RunPosting",
    "StopHeatApplication",
]
