"""Signatures without a key of one's own: a certificate for an identity, and a public log that has seen it.

The library ``sigstore`` judges them; it is an extra (``weft[keyless]``), for it brings many dependencies and
0.3 s of imports. What to believe is in a trusted root: a file, or the one of sigstore's public instance as
the library brings it, so that nothing is asked of the network.
"""

import logging
import tempfile
from typing import TYPE_CHECKING

import msgspec

from weft.errors import PartMissing, UsageError
from weft.signing.errors import SignatureInvalid

if TYPE_CHECKING:
    from sigstore.verify import Verifier

__all__ = ["Identity", "Keyless"]


class Identity(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who signed: an address or the URL of a workflow, and the URL of whoever vouches for it."""

    subject: str
    issuer: str

    def __str__(self) -> str:
        return f"{self.subject} ({self.issuer})"


class Keyless:
    """Judges bundles by one trusted root. The library is loaded when the first is judged."""

    def __init__(self, trusted_root: bytes | None = None, *, where: str = "the trusted root") -> None:
        """``trusted_root``: a ``trusted_root.json``; without it that of sigstore's public instance."""
        self._root = trusted_root
        self._where = where
        self._verifier: Verifier | None = None

    def check(self, bundle: bytes, message: bytes, identity: Identity) -> None:
        """Whether ``identity`` signed ``message`` (DSSE's encoding) in ``bundle``.

        Raises ``SignatureInvalid`` with the reason when not, ``PartMissing`` without the library, and
        ``UsageError`` for a trusted root that is none.
        """
        verifier = self._opened()
        from sigstore.errors import Error
        from sigstore.models import Bundle
        from sigstore.verify import policy

        try:
            wanted = policy.Identity(identity=identity.subject, issuer=identity.issuer)
            kind, payload = verifier.verify_dsse(Bundle.from_json(bundle), wanted)
        except (Error, ValueError, KeyError, TypeError) as error:
            raise SignatureInvalid(" ".join(str(error).split())) from error
        if b"DSSEv1 %d %b %d %b" % (len(kind), kind.encode(), len(payload), payload) != message:
            raise SignatureInvalid("its words are others than those that were signed")

    def _opened(self) -> "Verifier":
        if self._verifier is None:
            try:
                from sigstore.verify import Verifier
            except ImportError as error:
                raise PartMissing(
                    "signatures without a key need the library sigstore", hint="pip install 'weft[keyless]'"
                ) from error
            logging.getLogger("sigstore").setLevel(logging.ERROR)  # its warnings are about its own cache
            self._verifier = self._read() if self._root is not None else Verifier.production(offline=True)
        return self._verifier

    def _read(self) -> "Verifier":
        from sigstore.models import TrustedRoot
        from sigstore.verify import Verifier

        with tempfile.NamedTemporaryFile(suffix=".json") as file:
            file.write(self._root or b"")
            file.flush()
            try:
                return Verifier(trusted_root=TrustedRoot.from_file(file.name))
            except Exception as error:
                raise UsageError(f"{self._where} is no trusted root: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
