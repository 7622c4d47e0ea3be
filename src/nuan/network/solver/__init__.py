"""In: a network and its loads. Out: pressures, flows and temperatures, and what could not be met."""
