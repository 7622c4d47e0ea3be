"""In: alarms that somebody has to hear of. Out: notices in the outbox, and the outbox sent through its channels, at least once each."""
