"""Labelled pictures, and the batches that are made of them."""
