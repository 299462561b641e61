"""The Telegram bot: a suspect photo goes in, the annotated picture comes back."""
