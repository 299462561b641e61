"""Brightness -> maps of where a picture has other traces of saving than elsewhere, as pictures."""
