"""A JPEG's quantisation tables and coefficients -> how it was saved, and whether it was before."""
