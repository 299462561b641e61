"""The detector: pictures in, reports with masks out. Start at :mod:`unmask.detector.detector`.

Nothing is imported here, so that training can use the alignment without the run time.
"""
