"""In: acts. Out: what must be remembered, in PostgreSQL. Judgements and audit rows are only ever added."""
