"""What can be wrong with keys and signatures.

::

    UsageError
    └── KeyInvalid         a key file that cannot be read, or a wrong password
    WeftError
    ├── SignatureInvalid   a signature document that breaks its format or a limit
    └── Unverified         an image that no required key has signed
"""

from weft.errors import UsageError, WeftError

__all__ = ["KeyInvalid", "SignatureInvalid", "Unverified"]


class KeyInvalid(UsageError):
    """A key file that is none, of a kind we do not sign with, or locked with another password."""


class SignatureInvalid(WeftError):
    """A signature document from outside that is not what it should be."""


class Unverified(WeftError):
    """The image must not be used; ``detail`` gives every reason."""

    exit_code = 7
