"""What the bot stores: in Redis, in files, and for a few seconds in memory."""
