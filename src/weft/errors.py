"""Failures a user can read: what happened, where, and what to try.

::

    WeftError           1  something failed that was asked for correctly
    ├── UsageError      2  the command line or a file of the user's is wrong
    ├── PartMissing     3  a program that weft needs is not on this machine
    ├── NotFound        4  no such image, tag, file or container
    ├── BuildFailed     5  the compiler said no
    ├── FilterRefused   6  Envoy, or the filter itself, does not accept the module or its config
    ├── Unverified      7  an image without the signatures it needs (weft.signing)
    └── Outrun          8  somebody else changes the same filter of a cluster (weft.clusters)

The number is the program's exit code. Libraries raise; only ``weft.cli`` prints and exits.
"""

__all__ = ["BuildFailed", "FilterRefused", "NotFound", "PartMissing", "UsageError", "WeftError"]


class WeftError(Exception):
    """A failure with a message for people and, where we know one, a hint that helps."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None, detail: str | None = None) -> None:
        """``message`` is one line; ``detail`` is foreign text shown as it came (compiler, Envoy log)."""
        super().__init__(message)
        self.hint = hint
        self.detail = detail


class UsageError(WeftError):
    """The command line, or a document the user wrote, is wrong."""

    exit_code = 2


class PartMissing(WeftError):
    """A compiler, Envoy or container engine is not there."""

    exit_code = 3


class NotFound(WeftError):
    """The thing named does not exist."""

    exit_code = 4


class BuildFailed(WeftError):
    """A compiler refused the source; ``detail`` is what it wrote."""

    exit_code = 5


class FilterRefused(WeftError):
    """A module that Envoy would not load, or a config that the filter turned down."""

    exit_code = 6
