"""The tables of money. Ledger and bills here; payments and refunds beside them."""

from nuan.records.billing.models.ledger import Account, Entry, LedgerDay, LedgerPeriod, Posting

__all__ = ["Account", "Entry", "LedgerDay", "LedgerPeriod", "Posting"]
