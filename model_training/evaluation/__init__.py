"""What a model is worth: predictions, figures, tables and plots."""
