"""Media types and annotation keys, spelled as their specifications spell them.

OCI: image-spec 1.1 (media-types.md, annotations.md). Docker: distribution's "Image Manifest V 2, Schema 2".
What is particular to wasm lives in ``weft.image``.
"""

from typing import Final

__all__ = ["Annotation", "MediaType"]


class MediaType:
    """What kind of bytes a descriptor points at."""

    OCI_MANIFEST: Final = "application/vnd.oci.image.manifest.v1+json"
    OCI_INDEX: Final = "application/vnd.oci.image.index.v1+json"
    OCI_CONFIG: Final = "application/vnd.oci.image.config.v1+json"
    OCI_LAYER: Final = "application/vnd.oci.image.layer.v1.tar"
    OCI_LAYER_GZIP: Final = "application/vnd.oci.image.layer.v1.tar+gzip"
    OCI_LAYER_ZSTD: Final = "application/vnd.oci.image.layer.v1.tar+zstd"
    OCI_EMPTY: Final = "application/vnd.oci.empty.v1+json"

    DOCKER_MANIFEST: Final = "application/vnd.docker.distribution.manifest.v2+json"
    DOCKER_INDEX: Final = "application/vnd.docker.distribution.manifest.list.v2+json"
    DOCKER_SCHEMA1: Final = "application/vnd.docker.distribution.manifest.v1+json"
    DOCKER_SCHEMA1_SIGNED: Final = "application/vnd.docker.distribution.manifest.v1+prettyjws"
    DOCKER_CONFIG: Final = "application/vnd.docker.container.image.v1+json"
    DOCKER_LAYER: Final = "application/vnd.docker.image.rootfs.diff.tar"
    DOCKER_LAYER_GZIP: Final = "application/vnd.docker.image.rootfs.diff.tar.gzip"

    MANIFESTS: Final = frozenset({OCI_MANIFEST, DOCKER_MANIFEST})
    INDEXES: Final = frozenset({OCI_INDEX, DOCKER_INDEX})


class Annotation:
    """Keys with a meaning that several tools agree on."""

    TITLE: Final = "org.opencontainers.image.title"
    """The file name of a layer."""
    REF_NAME: Final = "org.opencontainers.image.ref.name"
    """In an image layout's index: the name of the image."""
    CREATED: Final = "org.opencontainers.image.created"
    CONTAINERD_NAME: Final = "io.containerd.image.name"
    """In an image layout's index: the full reference, for ``ctr image import``."""
