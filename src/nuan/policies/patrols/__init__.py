"""In: how often a route has to be walked. Out: its rounds (轮次), the same for the pages and for the clause."""
