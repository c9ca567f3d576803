"""What can be wrong with an image."""

from weft.errors import WeftError

__all__ = ["ImageInvalid"]


class ImageInvalid(WeftError):
    """An image, an archive in it or the module in that is not what it should be, or breaks a limit."""
