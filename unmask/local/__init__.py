"""``unmask up``: every part of the service on one machine."""
