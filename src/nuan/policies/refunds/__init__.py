"""In: columns of homes, outages, measurements and a pack. Out: whole fen, exactly, or the reason why nobody can say yet."""
