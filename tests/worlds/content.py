"""Small images to push and pull, and the registries of a test with time that costs nothing."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from weft.base.retry import Patience
from weft.net import Http, Network
from weft.oci import Descriptor, Manifest, MediaType, compact_json
from weft.registry import Credential, Keychain, Persistence, Registries
from weft.workflows.images.contents import Opener
from worlds.clock import FakeClock

CONFIG = b"{}"
CONFIG_TYPE = "application/vnd.module.wasm.config.v1+json"
LAYER_TYPE = "application/vnd.module.wasm.content.layer.v1+wasm"


def giving(data: bytes, piece: int = 65536) -> Opener:
    """A source that gives ``data`` as often as it is asked."""

    async def source(start: int = 0, /) -> AsyncGenerator[bytes, None]:
        for at in range(start, len(data), piece):
            yield data[at : at + piece]

    return source


def blob(data: bytes, kind: str = LAYER_TYPE) -> Descriptor:
    return Descriptor.of(kind, data)


def image(module: bytes, *, subject: Descriptor | None = None, artifact_type: str = "") -> Manifest:
    """The manifest of an image with an empty config and one layer."""
    document = {
        "schemaVersion": 2,
        "mediaType": MediaType.OCI_MANIFEST,
        "config": blob(CONFIG, CONFIG_TYPE).to_json(),
        "layers": [blob(module).to_json()],
    }
    if subject:
        document["subject"] = subject.to_json()
    if artifact_type:
        document["artifactType"] = artifact_type
    return Manifest.parse(compact_json(document))


@asynccontextmanager
async def open_registries(
    *hosts: str,
    given: dict[str, Credential] | None = None,
    clock: FakeClock | None = None,
    network: Network | None = None,
    patience: Patience | None = None,
) -> AsyncIterator[Registries]:
    """A run's registries; ``hosts`` are plain, waits take no time, chance is the longest wait."""
    persistence = Persistence(clock=clock or FakeClock(), chance=lambda: 1.0, patience=patience or Patience())
    async with Http(network or Network()) as http:
        keychain = Keychain(given=given or {})
        yield Registries(http, keychain, plain=frozenset(hosts), persistence=persistence)
