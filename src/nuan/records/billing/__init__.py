"""账: ledger, tariffs, bills, payments and refunds, in whole fen."""
