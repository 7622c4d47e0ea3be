"""Interruptions of supply and the vehicles that bridge them."""
