"""Settings, URLs and wiring: the only room that knows everything."""
