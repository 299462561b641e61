"""The team desk: cases that people work through together, with the history of every change.

A check expires, a case lives: it copies what it needs from the check. The room imports the heart
alone; the server alone imports the room, so that one process writes a SQLite database.
:class:`desk.service.Desk` puts the services together.
"""
