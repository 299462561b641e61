"""Fakes to train on, made by networks that come in packages (the extra ``make``)."""
