"""In: the sample city, a broker, an HTTP door, credentials. Out: its devices played as a fleet, and a ledger that proves what arrived."""
