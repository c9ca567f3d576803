"""What can go wrong before an answer is whole.

::

    WeftError
    └── HttpFailure   no connection, a broken one, or an answer that breaks HTTP's rules or our limits
        ├── NotTls    the other side does not speak TLS
        └── Untrusted its certificate is not signed by whom we trust, or is somebody else's
"""

from weft.errors import WeftError

__all__ = ["HttpFailure", "NotTls", "Untrusted"]


class HttpFailure(WeftError):
    """No whole answer; ``temporary`` says whether trying again may help."""

    def __init__(
        self, message: str, *, temporary: bool, hint: str | None = None, detail: str | None = None
    ) -> None:
        super().__init__(message, hint=hint, detail=detail)
        self.temporary = temporary


class NotTls(HttpFailure):
    """What answered is no TLS server."""


class Untrusted(HttpFailure):
    """Who answered has not shown that it is who we asked."""
