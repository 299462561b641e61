"""The commands ``unmask server`` and ``unmask keys``."""
