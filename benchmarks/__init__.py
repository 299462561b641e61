"""What Unmask costs, measured; each module is a command."""
