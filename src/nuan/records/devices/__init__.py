"""设备: gateways, their devices and points, and what they sent that nobody could read."""
