"""Write WebAssembly by hand: the opposite of ``weft.wasm.read_module``, for tests and benchmarks only.

The lower half writes any bytes a test wants, wrong ones too. ``proxy_module`` above it makes the smallest
module Envoy loads, with one thing changed at a time. Signatures are written as Envoy prints them:
``"i32 i64 -> i32"``, ``"void -> void"``.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

MAGIC = b"\0asm"
HEADER = MAGIC + b"\x01\0\0\0"
PAGE = 65536

VALUE_TYPES = {
    "i32": b"\x7f",
    "i64": b"\x7e",
    "f32": b"\x7d",
    "f64": b"\x7c",
    "v128": b"\x7b",
    "funcref": b"\x70",
    "externref": b"\x6f",
}
KINDS = {"func": 0, "table": 1, "memory": 2, "global": 3, "tag": 4}
_ONE = {
    "i32": b"\x41\x01",
    "i64": b"\x42\x01",
    "f32": b"\x43\0\0\0\0",
    "f64": b"\x44" + bytes(8),
    "v128": b"\xfd\x0c" + bytes(16),
    "funcref": b"\xd0\x70",
    "externref": b"\xd0\x6f",
}


def u(value: int, *, width: int = 1) -> bytes:
    """Unsigned LEB128, padded to at least ``width`` bytes as linkers do."""
    out = bytearray()
    while value >= 0x80 or len(out) + 1 < width:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def s(value: int) -> bytes:
    """Signed LEB128."""
    out = bytearray()
    while not -64 <= value < 64:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value & 0x7F)
    return bytes(out)


def vec(items: Iterable[bytes]) -> bytes:
    """A count and its items."""
    listed = list(items)
    return u(len(listed)) + b"".join(listed)


def name(text: str | bytes) -> bytes:
    """A length and UTF-8, or whatever bytes are given."""
    raw = text.encode() if isinstance(text, str) else text
    return u(len(raw)) + raw


def section(number: int, payload: bytes) -> bytes:
    """A section with a right size."""
    return bytes([number]) + u(len(payload)) + payload


def custom(title: str | bytes, payload: bytes = b"") -> bytes:
    """A custom section."""
    return section(0, name(title) + payload)


def function_type(signature: str) -> bytes:
    """``"i32 -> void"`` as a function type."""
    params, results = (
        [VALUE_TYPES[word] for word in side.split() if word != "void"] for side in signature.split("->")
    )
    return b"\x60" + vec(params) + vec(results)


def limits(minimum: int, maximum: int | None = None, *, shared: bool = False, wide: bool = False) -> bytes:
    """Limits of a memory or table; ``wide`` is memory64."""
    flags = (maximum is not None) | shared << 1 | wide << 2
    return bytes([flags]) + u(minimum) + (b"" if maximum is None else u(maximum))


def body(code: bytes, *, locals_: bytes = b"\0") -> bytes:
    """A function body from its instructions, ``end`` included here."""
    return name(locals_ + code + b"\x0b")


def returning(signature: str) -> bytes:
    """A body that gives one (1) for every i32 or i64 result and zero for the rest."""
    results = [word for word in signature.split("->")[1].split() if word != "void"]
    return body(b"".join(_ONE[word] for word in results))


def module(*sections: bytes) -> bytes:
    """Magic, version and the sections as given."""
    return HEADER + b"".join(sections)


def name_section(
    functions: Mapping[int, str | bytes] | None = None, *, module_name: str | None = None
) -> bytes:
    """The custom section ``name``."""
    parts = b""
    if module_name is not None:
        parts += section(0, name(module_name))
    if functions is not None:
        parts += section(1, vec(u(index) + name(text) for index, text in functions.items()))
    return custom("name", parts)


def producers(fields: Mapping[str, Sequence[tuple[str, str]]]) -> bytes:
    """The custom section ``producers``."""
    rows = (name(key) + vec(name(a) + name(b) for a, b in values) for key, values in fields.items())
    return custom("producers", vec(rows))


def target_features(*features: str) -> bytes:
    """The custom section ``target_features``, from ``+simd128`` and the like."""
    return custom("target_features", vec(text[:1].encode() + name(text[1:]) for text in features))


@dataclass
class Program:
    """A whole module by its parts; ``encode`` writes them in the right order."""

    imports: list[tuple[str, str, str]] = field(default_factory=list)
    """Functions: module, name, signature."""
    other_imports: list[bytes] = field(default_factory=list)
    functions: dict[str, str] = field(default_factory=dict)
    """Exported functions: name, signature."""
    bodies: dict[str, bytes] = field(default_factory=dict)
    """Bodies of exported functions that must do something."""
    memory: bytes | None = field(default_factory=lambda: limits(1))
    export_memory: bool = True
    memory_name: str = "memory"
    start: str | None = None
    tail: bytes = b""

    def encode(self) -> bytes:
        """The module's bytes."""
        signatures = list(dict.fromkeys([sig for *_, sig in self.imports] + list(self.functions.values())))
        at = {sig: u(index) for index, sig in enumerate(signatures)}
        imports = [name(mod) + name(item) + b"\0" + at[sig] for mod, item, sig in self.imports]
        index = {title: len(self.imports) + i for i, title in enumerate(self.functions)}
        exports = [name(title) + b"\0" + u(i) for title, i in index.items()]
        if self.memory is not None and self.export_memory:
            exports.append(name(self.memory_name) + b"\x02" + u(0))
        code = [self.bodies.get(title) or returning(sig) for title, sig in self.functions.items()]
        parts = [
            section(1, vec(map(function_type, signatures))),
            section(2, vec(imports + self.other_imports)),
            section(3, vec(at[sig] for sig in self.functions.values())),
            b"" if self.memory is None else section(5, vec([self.memory])),
            section(7, vec(exports)),
            b"" if self.start is None else section(8, u(index[self.start])),
            section(10, vec(code)),
        ]
        return module(*parts) + self.tail


def proxy_module(
    *,
    abi: str | None = "0_2_1",
    allocator: str | None = "malloc",
    imports: Iterable[tuple[str, str, str]] = (),
    exports: Mapping[str, str] | None = None,
    **parts: Any,
) -> bytes:
    """The smallest module Envoy loads, with what a test changes about it."""
    functions: dict[str, str] = {}
    if abi is not None:
        functions[f"proxy_abi_version_{abi}"] = "void -> void"
    if allocator is not None:
        functions[allocator] = "i32 -> i32"
    functions |= exports or {}
    return Program(imports=list(imports), functions=functions, **parts).encode()
