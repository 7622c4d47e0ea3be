"""Hazards of the network and its facilities (隐患台账), and the patrols that look for them (巡线)."""
