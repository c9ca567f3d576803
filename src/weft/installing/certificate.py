"""The certificate with which the operator answers the API server: its own authority, one key, one name.

The operator makes one when the Secret holds none that will do, and puts it into the configuration of the
webhook, so that nobody has to install a certificate manager. Both are partial objects for server-side apply:
what the installation says of them stays.
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from weft.installing.access import WEBHOOK
from weft.installing.installation import Installation
from weft.installing.operator_objects import WEBHOOK_ENTRY

__all__ = ["Certificate"]

_LIFE = timedelta(days=3 * 365)
# It is looked at when an operator starts, which every upgrade of a cluster brings about.
_RENEWED_BEFORE = timedelta(days=365)
# Clocks of a cluster differ a little.
_BACKDATED = timedelta(minutes=5)
_FIELDS = ("tls.crt", "tls.key")


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate that trusts itself, and its key; both PEM."""

    certificate: bytes
    key: bytes

    @classmethod
    def issued(cls, host: str, now: datetime) -> "Certificate":
        """A new one for ``host``."""
        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "weft")])
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - _BACKDATED)
            .not_valid_after(now + _LIFE)
            .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=True)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(key, hashes.SHA256())
        )
        pem = serialization.Encoding.PEM
        return cls(
            certificate.public_bytes(pem),
            key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        )

    @classmethod
    def kept(cls, secret: Mapping[str, Any], host: str, now: datetime) -> "Certificate | None":
        """The one in ``secret``, if it is for ``host`` and good for a while yet."""
        data = secret.get("data") or {}
        try:
            found = cls(*(base64.b64decode(data[field], validate=True) for field in _FIELDS))
        except (KeyError, binascii.Error):
            return None
        return found if found._will_do(host, now) else None

    def secret(self, installation: Installation) -> dict[str, Any]:
        """What the operator applies to the Secret ``weft-webhook``."""
        data = zip(_FIELDS, (self.certificate, self.key), strict=True)
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": WEBHOOK, "namespace": installation.namespace},
            "data": {field: base64.b64encode(held).decode() for field, held in data},
        }

    def webhook(self) -> dict[str, Any]:
        """What the operator applies to the ValidatingWebhookConfiguration: whom to trust."""
        bundle = base64.b64encode(self.certificate).decode()
        return {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": WEBHOOK},
            "webhooks": [{"name": WEBHOOK_ENTRY, "clientConfig": {"caBundle": bundle}}],
        }

    def _will_do(self, host: str, now: datetime) -> bool:
        from cryptography import x509
        from cryptography.hazmat.primitives import serialization

        try:
            certificate = x509.load_pem_x509_certificate(self.certificate)
            key = serialization.load_pem_private_key(self.key, password=None)
            names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except (ValueError, TypeError, x509.ExtensionNotFound):
            return False
        return (
            key.public_key() == certificate.public_key()
            and host in names.get_values_for_type(x509.DNSName)
            and certificate.not_valid_before_utc <= now
            and now + _RENEWED_BEFORE < certificate.not_valid_after_utc
        )
