"""Proxy-wasm modules of a few hundred bytes, assembled in Python: no compiler is needed to test Envoy.

``tiny_filter()`` is a filter whose whole configuration is the value of a header it adds to requests and
responses. The first character of the configuration steers it: ``!`` is refused with the words in
``REFUSAL``, ``*`` traps three calls deep in configure, ``#`` traps in the first request.
"""

from collections.abc import Sequence

__all__ = ["REFUSAL", "tiny_filter"]

REFUSAL = "config: must not start with !"

_I32 = 0x7F
_END, _UNREACHABLE, _IF, _CALL, _RETURN = b"\x0b", b"\x00", b"\x04\x40", b"\x10", b"\x0f"
_EQ, _ADD, _I32_LOAD, _LOAD_BYTE = b"\x46", b"\x6a", b"\x28\x02\x00", b"\x2d\x00\x00"

# What the module imports, then what it defines: function indices follow this order.
_GET_BUFFER, _ADD_HEADER, _LOG = range(3)
_HEAP, _CONFIG, _CONFIG_LENGTH = range(3)  # globals
_HEADER_AT, _WORDS_AT, _HEAP_AT = 16, 128, 1024


def tiny_filter(
    header: str = "x-tiny",
    *,
    abi: str = "0_2_1",
    extra_import: str | None = None,
    trap_on_start: bool = False,
    start_returns: int = 1,
    without: Sequence[str] = (),
    names: bool = True,
) -> bytes:
    """A module that adds ``header: <its configuration>``.

    ``extra_import`` is one more function of ``env`` to ask for; ``without`` leaves exports out;
    ``names=False`` drops the name section.
    """
    imports = ["proxy_get_buffer_bytes", "proxy_add_header_map_value", "proxy_log"]
    import_types = [4, 4, 3] + ([1] if extra_import else [])
    imports += [extra_import] if extra_import else []
    base = len(imports)
    word = [_i32(_HEADER_AT), _i32(len(header)), _get(_CONFIG), _get(_CONFIG_LENGTH)]
    first = _get(_CONFIG) + _LOAD_BYTE
    bodies: dict[str, tuple[int, bytes]] = {
        f"proxy_abi_version_{abi}": (1, b""),
        "malloc": (0, _get(_HEAP) + _get(_HEAP) + _local(0) + _ADD + _set(_HEAP)),
        "proxy_on_vm_start": (2, _UNREACHABLE if trap_on_start else _i32(start_returns)),
        "proxy_on_configure": (2, _configure(first, deep=base + 6)),
        "proxy_on_request_headers": (
            3,
            _when(first, "#", _UNREACHABLE) + _call(_ADD_HEADER, _i32(0), *word) + b"\x1a" + _i32(0),
        ),
        "proxy_on_response_headers": (3, _call(_ADD_HEADER, _i32(2), *word) + b"\x1a" + _i32(0)),
        "check_config": (1, _call(base + 7)),
        "fail_on_purpose": (1, _UNREACHABLE),
    }
    sections = [
        (1, _vector(_type(p, r) for p, r in [(1, 1), (0, 0), (2, 1), (3, 1), (5, 1)])),
        (
            2,
            _vector(
                _name("env") + _name(n) + b"\0" + _u(t) for n, t in zip(imports, import_types, strict=True)
            ),
        ),
        (3, _vector(_u(t) for t, _ in bodies.values())),
        (5, _vector([b"\0\1"])),
        (6, _vector(bytes([_I32, 1]) + _i32(start) + _END for start in (_HEAP_AT, 0, 0))),
        (7, _vector(_exports(list(bodies)[:6], base, without))),
        (10, _vector(_sized(b"\0" + code + _END) for _, code in bodies.values())),
        (11, _vector(_data(at, text) for at, text in ((_HEADER_AT, header), (_WORDS_AT, REFUSAL)))),
    ]
    if names:
        functions = _vector(_u(i) + _name(n) for i, n in enumerate([*imports, *bodies]))
        sections.append((0, _name("name") + b"\1" + _sized(functions)))
    return b"\0asm\1\0\0\0" + b"".join(bytes([kind]) + _sized(body) for kind, body in sections)


def _configure(first: bytes, deep: int) -> bytes:
    """Fetch the configuration, log it, and do what its first character says."""
    fetch = _call(_GET_BUFFER, _i32(7), _i32(0), _local(1), _i32(0), _i32(4)) + b"\x1a"
    keep = _i32(0) + _I32_LOAD + _set(_CONFIG) + _i32(4) + _I32_LOAD + _set(_CONFIG_LENGTH)
    refuse = _call(_LOG, _i32(4), _i32(_WORDS_AT), _i32(len(REFUSAL))) + b"\x1a" + _i32(0) + _RETURN
    show = _call(_LOG, _i32(2), _get(_CONFIG), _get(_CONFIG_LENGTH)) + b"\x1a"
    given = _local(1) + _IF + fetch + keep + _END
    return given + _when(first, "!", refuse) + _when(first, "*", _call(deep)) + show + _i32(1)


def _when(first: bytes, letter: str, then: bytes) -> bytes:
    return first + _i32(ord(letter)) + _EQ + _IF + then + _END


def _exports(names: Sequence[str], base: int, without: Sequence[str]) -> list[bytes]:
    functions = [_name(n) + b"\0" + _u(base + i) for i, n in enumerate(names) if n not in without]
    return [*functions, _name("memory") + b"\2\0"]


def _type(params: int, results: int) -> bytes:
    return b"\x60" + _vector([bytes([_I32])] * params) + _vector([bytes([_I32])] * results)


def _data(at: int, text: str) -> bytes:
    return b"\0" + _i32(at) + _END + _name(text)


def _call(function: int, *arguments: bytes) -> bytes:
    return b"".join(arguments) + _CALL + _u(function)


def _i32(value: int) -> bytes:
    return b"\x41" + _s(value)


def _get(index: int) -> bytes:
    return b"\x23" + _u(index)


def _set(index: int) -> bytes:
    return b"\x24" + _u(index)


def _local(index: int) -> bytes:
    return b"\x20" + _u(index)


def _vector(items: object) -> bytes:
    held = list(items)  # type: ignore[call-overload]
    return _u(len(held)) + b"".join(held)


def _name(text: str) -> bytes:
    return _sized(text.encode())


def _sized(data: bytes) -> bytes:
    return _u(len(data)) + data


def _u(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _s(value: int) -> bytes:
    """Signed LEB128 of a number that is not negative."""
    return _u(value) if value & 0x7F < 0x40 and value < 0x40 else _signed(value)


def _signed(value: int) -> bytes:
    out = bytearray()
    while value >= 0x40:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
