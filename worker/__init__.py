"""The worker: takes what waits, examines it as one batch, stores the results, tells."""
