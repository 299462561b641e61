"""Run times for the networks that judge faces: which one serves is measured, tested and told."""
