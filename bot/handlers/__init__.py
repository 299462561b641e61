"""What the bot does with each kind of update: one handler a file."""
