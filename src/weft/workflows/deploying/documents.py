"""The files a user gives: intents of any kind, and objects of the cluster that plans depend on."""

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from weft.base.documents import parse_documents
from weft.base.files import read_limited
from weft.base.located import Located
from weft.errors import UsageError
from weft.mesh import Imported, Workload, import_document, is_intent

__all__ = ["Documents", "read_documents"]

# A folder full of manifests in one file is a few megabytes.
_MAX_FILE = 16 * 1024 * 1024
_WORKLOADS = {"Deployment", "DaemonSet", "StatefulSet"}


@dataclass(slots=True)
class Documents:
    """What the files held."""

    intents: list[Imported] = field(default_factory=list)
    workloads: list[Workload] = field(default_factory=list)
    gateways: list[Mapping[str, Any]] = field(default_factory=list)
    """Of Gloo."""
    values: dict[tuple[str, str, str], str] = field(default_factory=dict)
    """Keys of Secrets and ConfigMaps."""


def read_documents(words: Iterable[str], read_input: Callable[[], str], home: str = "default") -> Documents:
    """Read the files, ``-`` being standard input; raises ``UsageError`` with file and line.

    What says no namespace is in ``home``.
    """
    found = Documents()
    for word in words:
        where = "standard input" if word == "-" else word
        text = read_input() if word == "-" else _text(word)
        for document in parse_documents(text, where=where):
            for one in _members(document):
                _sort(one, found, home)
    return found


def _text(word: str) -> str:
    try:
        data = read_limited(Path(word), _MAX_FILE)
    except OSError as error:
        raise UsageError(f"{word}: {error.strerror}") from error
    if data is None:
        raise UsageError(f"{word} is larger than {_MAX_FILE} bytes")
    return data.decode(errors="replace")


def _members(document: Located) -> Iterator[Located]:
    """A ``List``, as ``kubectl get -o yaml`` prints it, is its members."""
    value = document.value
    if isinstance(value, dict) and value.get("kind") == "List" and isinstance(value.get("items"), list):
        yield from document.items("items")
    else:
        yield document


def _sort(document: Located, found: Documents, home: str) -> None:
    value = document.value
    if not isinstance(value, dict):
        raise UsageError(f"{document.where} line {document.line_of(())}: a mapping was expected")
    if isinstance(metadata := value.get("metadata"), dict):
        value = {**value, "metadata": {"namespace": home, **metadata}}
    kind, version = value.get("kind"), str(value.get("apiVersion"))
    if kind in _WORKLOADS and version.startswith("apps/"):
        found.workloads.append(Workload.of(value))
    elif kind == "Gateway" and version.startswith("gateway.solo.io/"):
        found.gateways.append(value)
    elif kind in {"Secret", "ConfigMap"} and version == "v1":
        found.values |= _values(value, document.where)
    elif is_intent(value) or not kind or kind.endswith("Deployment"):
        found.intents.append(import_document(value, where=document.where, line_of=document.line_of))


def _values(value: Mapping[str, Any], where: str) -> dict[tuple[str, str, str], str]:
    kind, name = str(value["kind"]), str(_mapping(value, "metadata").get("name", ""))
    plain = _texts(_mapping(value, "stringData" if kind == "Secret" else "data"))
    if kind == "Secret":
        for key, text in _texts(_mapping(value, "data")).items():
            plain.setdefault(key, _decoded(text, f"{where}: Secret {name}, key {key}"))
    return {(kind, name, key): text for key, text in plain.items()}


def _decoded(text: str, where: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise UsageError(f"{where}: not base64 of UTF-8 text") from error


def _mapping(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    held = value.get(key)
    return held if isinstance(held, dict) else {}


def _texts(value: Mapping[str, Any]) -> dict[str, str]:
    return {str(key): str(held) for key, held in value.items()}
