"""The operator's webhook over TLS, with a certificate that all replicas share and the API server trusts."""

import asyncio
import ssl
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from weft.errors import WeftError
from weft.installing import Certificate, Installation, webhook_host
from weft.kube import Conflict, Kube, Ref

__all__ = ["trusted_tls"]

_MANAGER = "weft-operator"
# Replicas that start together: one writes, the others read what it wrote.
_TRIES = 5


async def trusted_tls(kube: Kube, system: str) -> ssl.SSLContext:
    """What the webhook of the weft in namespace ``system`` answers with; the API server is told to trust it.

    Raises ``WeftError`` where no installation is to keep it.
    """
    here = Installation(namespace=system)
    certificate = await _shared(kube, here)
    await kube.apply(certificate.webhook(), manager=_MANAGER, force=True)
    return await asyncio.to_thread(_context, certificate)


async def _shared(kube: Kube, here: Installation) -> Certificate:
    """The certificate in the Secret; a new one is put there first, where that will not do."""
    host, now = webhook_host(here), datetime.now(UTC)
    made = Certificate.issued(host, now)
    ref = Ref.of(made.secret(here))
    for _ in range(_TRIES):
        secret = await kube.find(ref)
        if secret is None:
            raise WeftError(f"no {ref} to keep the webhook's certificate", hint="`weft install` makes it")
        if kept := Certificate.kept(secret, host, now):
            return kept
        try:
            await kube.replace({**secret, "data": made.secret(here)["data"]})
        except Conflict:
            continue
        return made
    raise WeftError(f"{ref} is changed by others all the time")


def _context(certificate: Certificate) -> ssl.SSLContext:
    """The TLS library reads certificates from files only; the folder is ours alone."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with TemporaryDirectory(prefix="weft-webhook-") as folder:
        chain, key = Path(folder) / "tls.crt", Path(folder) / "tls.key"
        chain.write_bytes(certificate.certificate)
        key.write_bytes(certificate.key)
        context.load_cert_chain(chain, key)
    return context
