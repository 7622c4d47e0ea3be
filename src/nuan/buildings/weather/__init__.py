"""In: an EPW file or a seed. Out: hourly outdoor temperature, wind and sun, laid on to the days of a season."""
