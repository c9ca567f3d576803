"""Envoy Gateway (internal/wasm/imagefetcher.go): Istio's code of 1.16 with Go's own way to join errors."""

from weft.image.consumers.istio import refusal_joined
from weft.image.consumers.published import Published

__all__ = ["refusal"]


def refusal(published: Published) -> str:
    """What it says; empty when it takes the image."""
    return refusal_joined(published, "\n".join, single=False)
