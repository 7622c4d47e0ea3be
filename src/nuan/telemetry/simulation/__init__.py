"""In: what simulated devices measured, and which faults are wanted. Out: the messages that real devices would send, and a ledger of what was acknowledged."""
