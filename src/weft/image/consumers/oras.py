"""ORAS takes everything; what has no name becomes no file."""

from weft.image.consumers.published import Published
from weft.oci import Annotation

__all__ = ["refusal", "remark"]


def refusal(published: Published) -> str:  # noqa: ARG001 - a consumer's contract
    """Nothing is refused."""
    return ""


def remark(published: Published) -> str:
    """Which parts ``oras pull`` leaves out."""
    manifest = published.manifest
    if manifest is None or any(layer.annotations.get(Annotation.TITLE) for layer in manifest.layers):
        return ""
    return f'it writes no file: no layer has a name in "{Annotation.TITLE}"'
