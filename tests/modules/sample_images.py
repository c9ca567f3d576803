"""Images for tests: small modules, and layouts as other tools write them."""

import gzip
import io
import tarfile
from collections.abc import Sequence

from weft.image import Image, RuntimeConfig, pack
from weft.oci import Descriptor, Manifest, MediaType

MODULE = b"\0asm\1\0\0\0" + b"\0\x0b\x04name-weft!"
RUNTIME = RuntimeConfig(abi_versions=("v0.2.1",), root_ids=("add_header",))

Blob = tuple[str, bytes]
"""Media type and content."""


def module(size: int, fill: bytes = b"x") -> bytes:
    """A module of exactly ``size`` bytes."""
    return b"\0asm\1\0\0\0" + fill * (size - 8)


def sample(
    content: bytes = MODULE, *, flavor: str = "solo", root_id: str = "add_header", abi: str = "v0.2.1"
) -> Image:
    """An image as ``weft build`` makes it."""
    return pack(content, RuntimeConfig(abi_versions=(abi,), root_ids=(root_id,)), flavor=flavor)


def assemble(
    config: Blob, layers: Sequence[Blob], *, media_type: str = "", annotations: dict[str, str] | None = None
) -> Image:
    """An image of any layout, by hand."""
    blobs = [Descriptor.of(kind, data) for kind, data in (config, *layers)]
    manifest = Manifest.build(blobs[0], tuple(blobs[1:]), annotations or {}, media_type=media_type)
    contents = (data for _, data in (config, *layers))
    return Image(manifest, {blob.digest: data for blob, data in zip(blobs, contents, strict=True)})


def container(layers: Sequence[Blob], *, docker: bool = False) -> Image:
    """A container image; what its config says does not matter here."""
    if docker:
        return assemble((MediaType.DOCKER_CONFIG, b"{}"), layers, media_type=MediaType.DOCKER_MANIFEST)
    return assemble((MediaType.OCI_CONFIG, b"{}"), layers, media_type=MediaType.OCI_MANIFEST)


def tar(files: dict[str, bytes], *, form: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar as Python's own writer makes it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form) as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def bare_tar(files: dict[str, bytes]) -> bytes:
    """A tar whose last file is not padded and that has no end, as Istio's tests write it."""
    out = b""
    for name, data in files.items():
        entry = tarfile.TarInfo(name)
        entry.size = len(data)
        out += b"\0" * (-len(out) % 512) + entry.tobuf(tarfile.USTAR_FORMAT) + data
    return out


def tar_gz(files: dict[str, bytes]) -> bytes:
    """A layer."""
    return gzip.compress(tar(files))
