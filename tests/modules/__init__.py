"""Modules that tests need: assembled here, compiled from sources, packed into images."""
