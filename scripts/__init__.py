"""Tools for those who work on Unmask."""
