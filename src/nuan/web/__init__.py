"""In: a request. Out: pages by role, in Chinese first, that show their number without JavaScript."""
