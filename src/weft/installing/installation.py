"""What an installation of weft in a cluster is, as a value, and what its objects are called."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from weft import __version__
from weft.errors import UsageError

__all__ = [
    "NODE_CACHE",
    "OPERATOR",
    "OURS",
    "PROGRAM",
    "Group",
    "Installation",
    "Object",
    "checked",
    "labels",
    "made",
    "selector",
]

Object = Mapping[str, Any]

PROGRAM = "weft"
OPERATOR = "weft-operator"
NODE_CACHE = "weft-node-cache"
OURS = {"app.kubernetes.io/part-of": "weft"}
"""The label of every object of an installation."""

# RFC 1123, as Kubernetes checks the names of namespaces.
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
# As Kubernetes wants it of a hostPath.
_FOLDER = re.compile(r"(/(?!\.\.(/|$))[^/\0]+)+")
_IMAGE = re.compile(r"[^\s{}]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """What may differ from one installation to the next. ``checked`` says whether it can be."""

    namespace: str = "weft-system"
    image: str = f"weft:{__version__}"
    """What the pods run: an image with the program ``weft`` on its path."""
    node_cache: bool = True
    secrets_of: tuple[str, ...] = ()
    """Namespaces whose Secrets the operator may read, and whose ConfigMaps it may write."""
    folders: tuple[str, ...] = ()
    """Folders of the nodes in which node caches keep the modules too, beside the usual one."""


@dataclass(frozen=True, slots=True)
class Group:
    """Objects that belong together, in the order in which they are made."""

    name: str
    objects: tuple[Object, ...]


def checked(installation: Installation) -> Installation:
    """``installation``, if a cluster would take it; raises ``UsageError``."""
    for namespace in (installation.namespace, *installation.secrets_of):
        if not _NAMESPACE.fullmatch(namespace):
            raise UsageError(
                f"{namespace!r} is no name of a namespace",
                hint="lower-case letters, digits and dashes, 63 characters at most",
            )
    for folder in installation.folders:
        if not _FOLDER.fullmatch(folder):
            raise UsageError(f"{folder!r} is no folder of a node", hint="a path from /, without .. in it")
    if not _IMAGE.fullmatch(installation.image):
        raise UsageError(f"{installation.image!r} is no name of an image")
    return installation


def labels(part: str) -> dict[str, str]:
    """The marks of the objects of ``part``, as Kubernetes recommends them."""
    return {**selector(part), "app.kubernetes.io/version": __version__, **OURS}


def selector(part: str) -> dict[str, str]:
    """The marks of the pods of ``part``, that never change."""
    name = {"app.kubernetes.io/name": PROGRAM}
    return name if part == PROGRAM else {**name, "app.kubernetes.io/component": part.removeprefix("weft-")}


def made(
    api_version: str, kind: str, name: str, *, part: str, namespace: str = "", **fields: Any
) -> dict[str, Any]:
    """An object of ours; one of the whole cluster where no ``namespace`` is named."""
    metadata: dict[str, Any] = {"name": name}
    metadata |= {"namespace": namespace} if namespace else {}
    metadata["labels"] = labels(part)
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **fields}
