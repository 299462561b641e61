"""``python -m bot``: run the bot alone, with the settings of the environment."""

import sys

from bot.main import serve
from unmask.settings import Settings

sys.exit(serve(Settings()))
