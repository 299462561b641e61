"""Between Telegram and the handlers: incoming updates, outgoing calls, and the leader lock."""
