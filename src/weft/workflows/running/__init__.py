"""Filters in a real Envoy on this machine: run, watch, demo."""
