"""From trained weights to the files that are served."""
