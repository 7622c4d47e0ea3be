"""In: newest values of points, definitions of alarms, the stored state. Out: what was raised, cleared, folded and told. No clock, no disk."""
