"""The pages and pictures that are written from what was measured."""
