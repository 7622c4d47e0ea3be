"""In: networks as other programs write them. Out: `Network`, and findings about what could not be taken over."""
