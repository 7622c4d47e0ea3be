"""In: the files that a bank, a payment platform or a counter hands over, and a profile of each. Out: payments in fen, or every fault at
once. Pure: nothing here knows the records. A channel is a folder; docs/payments.md says how to add one."""
