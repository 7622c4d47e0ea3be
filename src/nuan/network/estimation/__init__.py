"""In: a network and what a few sensors say, with how well they know it. Out: the whole state, how sure it is, and what cannot be true."""
