"""Any document that says what a filter should do, as an intent."""

from typing import Any

from weft.errors import UsageError
from weft.mesh.importing.asm import ASM_KINDS, from_asm
from weft.mesh.importing.imported import Imported
from weft.mesh.importing.istio import (
    TRAFFIC_EXTENSION,
    WASM_PLUGIN,
    from_traffic_extension,
    from_wasm_plugin,
)
from weft.mesh.importing.wasme import WASME_KIND, from_wasme
from weft.mesh.intent.intent import API_VERSION, KIND
from weft.mesh.intent.reading import LineOf, kind_of, nowhere, read_intent

__all__ = ["import_document", "is_intent"]

_FOREIGN = {
    WASME_KIND: from_wasme,
    WASM_PLUGIN: from_wasm_plugin,
    TRAFFIC_EXTENSION: from_traffic_extension,
    **dict.fromkeys(ASM_KINDS, from_asm),
}
_OWN = (API_VERSION, KIND)


def is_intent(document: Any) -> bool:
    """Whether ``import_document`` knows the kind of ``document``."""
    return kind_of(document) in {_OWN, *_FOREIGN}


def import_document(document: Any, *, where: str, line_of: LineOf = nowhere) -> Imported:
    """The intent in ``document``, by its kind; raises ``UsageError`` for another kind or a mistake in it."""
    kind = kind_of(document)
    if kind == _OWN:
        return Imported(read_intent(document, where=where, line_of=line_of))
    if kind not in _FOREIGN:
        known = ", ".join(f"{name} ({version})" for version, name in (_OWN, *_FOREIGN))
        named = " ".join(kind).strip()
        raise UsageError(f"{where}: {f'{named} cannot be read' if named else 'there is no kind'}", hint=known)
    return _FOREIGN[kind](document, where=where, line_of=line_of)
