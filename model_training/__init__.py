"""Training, evaluation and export of the detector's model. The one room that may import Keras."""
