"""In: situations in YAML, as a lawyer writes them. Out: what each place's rules make of them, and where that differs from what was expected."""
