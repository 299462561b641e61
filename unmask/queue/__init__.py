"""The queue: submit a check, learn how it ends. Importing it needs no detector.

Nothing is imported here: a worker starts without the doors' side, and they without the worker's.
"""
