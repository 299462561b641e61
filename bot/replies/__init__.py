"""The replies: their texts, pictures and buttons, in the user's language."""
