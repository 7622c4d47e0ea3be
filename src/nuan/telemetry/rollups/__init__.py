"""In: readings in the store. Out: home-days, a season at a glance, station hours; by compiled kernels."""
