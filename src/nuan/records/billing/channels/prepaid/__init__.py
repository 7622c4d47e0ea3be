"""预存余额: what a home has paid beyond its bills; it pays a bill only because a person or a signed rule says so."""
