"""Proof of where an image comes from: keys, sign, verify."""
