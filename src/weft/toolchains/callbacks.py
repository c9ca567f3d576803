"""Keep Envoy from calling what a filter does not answer.

A call from Envoy into a module costs more than a small filter does with it. The official SDKs for Rust and Go
export every callback there is and answer most of them with "go on", which is what Envoy does by itself where
a callback is not exported. So the export of a method that nobody wrote is taken out.

Whether somebody wrote it is read off the source: a method whose name is nowhere in it is not there. A name in
a comment keeps its callback, which costs time and breaks nothing. Languages say which texts to look through.
"""

import re
from collections.abc import Collection, Mapping

from weft.wasm import Kind, read_module

__all__ = ["without_idle_callbacks"]

_EXPORT_SECTION = 7
_HEADER_BYTES = 8


def without_idle_callbacks(module: bytes, methods: Mapping[str, Collection[str]], text: str) -> bytes:
    """``module`` less the exports of ``methods`` of which no method's name is a word of ``text``.

    ``methods``: export → names of the methods it ends in. Raises ``ModuleInvalid`` for what is no module.
    """
    words = set(re.findall(r"\w+", text))
    idle = {export for export, names in methods.items() if words.isdisjoint(names)}
    read = read_module(module)
    kept = [export for export in read.exports if export.name not in idle]
    if len(kept) == len(read.exports):
        return module
    payload = bytearray(_unsigned(len(kept)))
    for export in kept:
        name = export.name.encode()
        payload += _unsigned(len(name)) + name + bytes([list(Kind).index(export.kind)])
        payload += _unsigned(export.index)
    begin, end = _HEADER_BYTES, _HEADER_BYTES
    for section in read.sections:
        begin, end = end, section.offset + section.size
        if section.name == "export" and not section.custom:
            break
    header = bytes([_EXPORT_SECTION]) + _unsigned(len(payload))
    return module[:begin] + header + bytes(payload) + module[end:]


def _unsigned(value: int) -> bytes:
    """LEB128, as the binary format writes counts and sizes."""
    out = bytearray()
    while value >> 7:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
