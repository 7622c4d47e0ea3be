"""People and tokens: role, organisation and place decide what each may see."""
