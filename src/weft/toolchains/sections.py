"""Take custom sections out of a module that a compiler has just made."""

from collections.abc import Callable, Iterator

__all__ = ["without_custom_sections"]

_HEADER_BYTES = 8
_CUSTOM = 0


def without_custom_sections(module: bytes, unwanted: Callable[[str], bool]) -> bytes:
    """``module`` without the custom sections whose name is ``unwanted``; the rest stays byte for byte."""
    kept = [module[:_HEADER_BYTES]]
    for start, end, name in _sections(module):
        if name is None or not unwanted(name):
            kept.append(module[start:end])
    return b"".join(kept)


def _sections(module: bytes) -> Iterator[tuple[int, int, str | None]]:
    """Where each section starts and ends, and a custom section's name."""
    start = _HEADER_BYTES
    while start < len(module):
        size, payload = _leb128(module, start + 1)
        end = payload + size
        name = None
        if module[start] == _CUSTOM:
            length, text = _leb128(module, payload)
            name = module[text : text + length].decode()
        yield start, end, name
        start = end


def _leb128(module: bytes, at: int) -> tuple[int, int]:
    """An unsigned number, and where the bytes after it begin."""
    value = shift = 0
    while True:
        byte = module[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:  # noqa: PLR2004 - the bit that says more follows
            return value, at
