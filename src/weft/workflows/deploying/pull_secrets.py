"""The credential that an intent's pull secret holds for the registry of its image."""

import base64
import binascii
from typing import Any

from weft.errors import UsageError
from weft.kube import Kube, Ref
from weft.mesh import ImageUrl, Intent
from weft.oci import Reference
from weft.registry import Credential, CredentialFile

__all__ = ["node_credential", "pull_credential"]

# kubernetes.io/dockerconfigjson and the older kubernetes.io/dockercfg.
_DOCKER = {".dockerconfigjson": False, ".dockercfg": True}


async def pull_credential(kube: Kube, intent: Intent, reference: Reference) -> Credential | None:
    """Read it; ``None`` where the intent names no secret, or the secret knows nothing of that registry.

    The secret is one of Kubernetes' own kinds, or has ``username`` and ``password`` as wasme's. Raises
    ``UsageError`` when it is not there, or holds neither.
    """
    name = intent.spec.pull_secret
    if not name:
        return None
    ref = Ref("v1", "Secret", name, intent.metadata.namespace)
    held = await kube.find(ref)
    if held is None:
        raise UsageError(f"spec.pullSecret: no {ref}", hint="make it first")
    data: dict[str, Any] = held.get("data") or {}
    for key, legacy in _DOCKER.items():
        if key in data:
            file = CredentialFile.parse(_decoded(data[key], ref, key), where=str(ref), legacy=legacy)
            return file.stored(reference.registry, reference.repository)
    if not {"username", "password"} <= data.keys():
        keys = ", ".join(sorted(data)) or "none"
        raise UsageError(
            f"spec.pullSecret: {ref} has neither .dockerconfigjson nor username and password",
            hint=f"it has {keys}",
        )
    username, password = (_decoded(data[key], ref, key).decode() for key in ("username", "password"))
    return Credential(username, password, source=str(ref))


async def node_credential(kube: Kube, intent: Intent) -> str:
    """The same for node caches: docker's ``config.json``, for the image's own repository and no other.

    Empty where there is none. Raises as above.
    """
    image = ImageUrl.parse(intent.spec.image)
    if image.scheme != "oci":
        return ""
    credential = await pull_credential(kube, intent, image.reference)
    if credential is None:
        return ""
    name = f"{image.reference.registry}/{image.reference.repository}"
    return CredentialFile({"auths": {name: credential.entry}}, "").to_bytes().decode()


def _decoded(text: str, ref: Ref, key: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise UsageError(f"spec.pullSecret: key {key!r} of {ref} is not base64") from error
