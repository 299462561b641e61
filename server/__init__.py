"""The server: the API, live events and the page, on aiohttp. Start at :mod:`server.app`."""
