"""暖: devices → readings → facts → judgements → acts → pages. Runs and supervises a city's heating."""
