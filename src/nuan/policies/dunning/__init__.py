"""催缴: which step follows when a bill is overdue, as data. In: steps.yaml and dates. Out: the steps that are due; none cuts anybody off."""
