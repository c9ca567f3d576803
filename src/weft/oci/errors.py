"""What can be wrong with a name or a document of OCI's.

::

    UsageError
    ├── DigestInvalid      a digest that names nothing
    └── ReferenceInvalid   a reference nobody could resolve
    WeftError
    └── DocumentInvalid    a manifest, index or config that breaks its format or a limit

The first two are mostly typed by people; the third arrives from registries and disks.
"""

from weft.errors import UsageError, WeftError

__all__ = ["DigestInvalid", "DocumentInvalid", "ReferenceInvalid"]


class DigestInvalid(UsageError):
    """Not ``sha256:<64 hex digits>`` or ``sha512:<128 hex digits>``."""


class ReferenceInvalid(UsageError):
    """Not ``registry/repository[:tag][@digest]``."""


class DocumentInvalid(WeftError):
    """A JSON document from outside that is not what it should be; the message names the place in it."""
