"""In: the text of directive and laws. Out: clauses and jurisdiction packs; the only room where a number from law stands."""
