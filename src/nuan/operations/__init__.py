"""In: a person's decision. Out: one transaction, one audit row. Every write to the records goes through here."""
