"""The tables of money. Ledger, approvals and bills here; payments and refunds beside them."""

from nuan.records.billing.models.approvals import Decision, Proposal
from nuan.records.billing.models.ledger import Account, Entry, LedgerDay, LedgerPeriod, Posting

__all__ = ["Account", "Decision", "Entry", "LedgerDay", "LedgerPeriod", "Posting", "Proposal"]
