"""Tariffs: what a home owes for a season. In: a place's pack and homes as columns. Out: bill lines in whole fen, or the reason why not."""
