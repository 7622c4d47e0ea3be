"""The pipe network of each company as versions, valve positions, special sites, and what was last computed of it."""
