"""What the bot keeps: in Redis, in files, for a moment in memory."""
