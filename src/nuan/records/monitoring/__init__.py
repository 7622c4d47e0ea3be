"""实时状态: the newest trusted value of each point, alarms and who was told."""
