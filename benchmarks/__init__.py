"""What Unmask costs, measured; each module is a command."""

import os

# before NumPy is imported, as in each of our commands (unmask.commands)
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
