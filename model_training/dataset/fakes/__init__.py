"""Fakes made on the fly from real pictures, each with the exact mask of what was changed."""
