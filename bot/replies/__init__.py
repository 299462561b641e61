"""What the bot says and shows, in the language of whoever asked."""
