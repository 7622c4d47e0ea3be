"""In: a token. Out: the same things as the pages, as JSON, under the same permissions."""
