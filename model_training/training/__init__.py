"""The training run: its configuration, its steps, its checkpoints."""
