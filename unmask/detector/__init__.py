"""The detector: pictures in, reports with masks out. Start at :mod:`unmask.detector.detector`.

Nothing else is imported here, so that training can use the alignment without the run time.
"""

from pathlib import Path

#: The manifest of the model that comes with Unmask.
SHIPPED_MODEL = Path(__file__).parent / "models" / "manifest.json"
