"""Who may reach the server, and with which key."""
