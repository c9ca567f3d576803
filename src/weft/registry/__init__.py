"""Talk to OCI registries: read and write content, prove who we are, trust nothing that comes back.

``Registries`` is what a run knows of all of them; it gives ``Repository``s, which read and write manifests
and blobs, list tags and referrers, delete. Promised: a credential goes to the registry it belongs to and to
the token realm it names, if that is a place to go, and nowhere else; content that is not what its digest says
never comes out whole; memory does not grow with a blob; what may pass by waiting is tried again within a
deadline. ``Keychain`` finds credentials where docker, podman, ORAS and wasme keep them; ``keep`` and
``forget`` write weft's own; ``Handed`` are credentials that come while a program runs.

May import: ``weft.net``, ``weft.oci``, ``weft.base``, ``weft.errors``.
"""

from weft.base.effort import Persistence
from weft.registry.credentials import Credential, CredentialFile
from weft.registry.elsewhere import Misled
from weft.registry.errors import AuthFailed, ContentMismatch, RegistryError
from weft.registry.handed import Handed
from weft.registry.keychain import Keychain
from weft.registry.login import forget, keep
from weft.registry.registries import Registries
from weft.registry.repository import Repository
from weft.registry.upload import Opener

__all__ = [
    "AuthFailed",
    "ContentMismatch",
    "Credential",
    "CredentialFile",
    "Handed",
    "Keychain",
    "Misled",
    "Opener",
    "Persistence",
    "Registries",
    "RegistryError",
    "Repository",
    "forget",
    "keep",
]
