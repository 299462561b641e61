"""The networks of a detector, opened: of all that a start does, what takes longest.

Nothing of pictures is imported here, so that a worker imports that while they open.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from unmask.detector.classifier import Classifier
from unmask.detector.engines.cache import Cache
from unmask.detector.engines.choice import open_tested
from unmask.detector.engines.protocol import Status
from unmask.detector.faces import FaceFinder
from unmask.detector.memory import give_back
from unmask.settings import Settings


class Networks(NamedTuple):
    """What finds faces, what judges them, and what the judges run on."""

    finder: FaceFinder
    classifier: Classifier
    engine: Status


def open_networks(settings: Settings) -> Networks:
    """Open the face network and the model side by side; their files and the engine's answers are
    verified.

    Raises UnmaskError ``model_missing`` or ``model_mismatch``, and SettingsError where the engine
    that the settings name lacks something.
    """
    threads = settings.threads
    cache = Cache(settings.data.expanduser() / "engines")
    with ThreadPoolExecutor(1, "unmask-open") as pool:
        finder = pool.submit(FaceFinder, threads)
        classifier, engine = open_tested(settings.model, threads, settings.engine, cache)
    give_back()  # what they took while they were opened side by side
    return Networks(finder.result(), classifier, engine)
