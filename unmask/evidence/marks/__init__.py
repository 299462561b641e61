"""Marks that generators leave in the metadata: the table of them, and the search for its rows."""
