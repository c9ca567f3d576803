"""What can be wrong with an archive."""

from weft.errors import WeftError

__all__ = ["ArchiveInvalid"]


class ArchiveInvalid(WeftError):
    """A file that is no image layout in a tar archive, or not the one that its own index promises."""

    temporary = False
