"""The networks, their losses and the average of their weights."""
