"""An independent reader of OCI image layouts: image-spec's image-layout.md, and nothing of weft's."""

import hashlib
import json
from pathlib import Path
from typing import Any

__all__ = ["read_layout"]

REF_NAME = "org.opencontainers.image.ref.name"
MANIFESTS = {
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
}
INDEXES = {
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
}


def read_layout(root: Path) -> dict[str, str]:
    """Name → manifest digest of a layout in which every blob is whole; fails on anything else."""
    assert json.loads((root / "oci-layout").read_bytes()) == {"imageLayoutVersion": "1.0.0"}
    index = json.loads((root / "index.json").read_bytes())
    assert index["schemaVersion"] == 2
    for file in (root / "blobs").glob("*/*"):
        assert hashlib.new(file.parent.name, file.read_bytes()).hexdigest() == file.name
    for descriptor in index["manifests"]:
        _follow(root, descriptor)
    return {
        descriptor.get("annotations", {}).get(REF_NAME, ""): descriptor["digest"]
        for descriptor in index["manifests"]
    }


def _follow(root: Path, descriptor: dict[str, Any]) -> None:
    algorithm, _, digits = descriptor["digest"].partition(":")
    content = (root / "blobs" / algorithm / digits).read_bytes()
    assert len(content) == descriptor["size"]
    if descriptor["mediaType"] in MANIFESTS:
        manifest = json.loads(content)
        for blob in (manifest["config"], *manifest["layers"]):
            _follow(root, blob)
    if descriptor["mediaType"] in INDEXES:
        for child in json.loads(content)["manifests"]:
            _follow(root, child)
