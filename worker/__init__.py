"""The worker: takes all waiting jobs, examines them as one batch, stores the results."""
