"""Between Telegram and the handlers: updates in, calls out, one process at a time."""
