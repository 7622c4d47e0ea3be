"""In: hourly values of substations and the weather. Out: which sensor lies, which station is ill, since when, how sure."""
