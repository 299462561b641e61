"""The bytes of a picture as they were sent -> what the file tells of its origin.

Nothing here changes a face's probability. Only what stands inside a valid container counts: bytes
after the end, comments and thumbnails prove nothing.
"""
