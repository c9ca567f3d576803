"""Names as people write them, of C++ (Itanium) and Rust (v0 and the older form)."""

import re

__all__ = ["demangled"]

_MANGLED = ("_Z", "_R")
# Rust's older form is Itanium's with a hash at the end and these in it.
_OLD_RUST_HASH = re.compile(r"::h[0-9a-f]{16}$")
_OLD_RUST = {"LT": "<", "GT": ">", "RF": "&", "BP": "*", "C": ",", "LP": "(", "RP": ")", "SP": "@"}
_OLD_RUST_ESCAPE = re.compile(r"\$(LT|GT|RF|BP|C|LP|RP|SP|u([0-9a-f]{1,6}))\$")
_OLD_RUST_START = re.compile(r"(?:^|(?<=::))_(?=\$)")  # a name must not begin with $
_LARGEST_CHARACTER = 0x10FFFF
# Names of instantiated templates can be as long as a book; LLVM's reader takes time with them.
_LONGEST = 20_000


def demangled(name: str) -> str:
    """``name`` in its language's own words, or as it is."""
    if not name.startswith(_MANGLED) or len(name) > _LONGEST:
        return name
    import pycxxfilt

    try:
        readable = pycxxfilt.demangle(name)
    except ValueError:
        return name
    return name if readable is None else _old_rust(readable)


def _old_rust(name: str) -> str:
    """``<my..T$u20$as$u20$..>`` without its escapes, when it is a Rust name."""
    path = _OLD_RUST_HASH.sub("", name)
    if path == name:
        return name
    return _OLD_RUST_ESCAPE.sub(_character, _OLD_RUST_START.sub("", path)).replace("..", "::")


def _character(escape: re.Match[str]) -> str:
    if escape[2] is None:
        return _OLD_RUST[escape[1]]
    number = int(escape[2], 16)
    return chr(number) if number <= _LARGEST_CHARACTER else escape[0]
