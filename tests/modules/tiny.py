"""Proxy-wasm filters of a few hundred bytes, assembled in Python: no compiler is needed to test Envoy.

``tiny_filter()`` is a filter whose whole configuration is the value of a header it adds to requests and
responses. The first character of the configuration steers it: ``!`` is refused with the words in ``REFUSAL``,
``*`` traps three calls deep in configure, ``#`` traps in the first request.
"""

from collections.abc import Collection

from modules.wasm_encoder import Program, body, name, name_section, s, section, u, vec

__all__ = ["REFUSAL", "tiny_filter"]

REFUSAL = "config: must not start with !"

# Where things lie in memory; the first two are what proxy_get_buffer_bytes writes.
_CONFIG, _CONFIG_SIZE, _FREE, _HEADER, _WORDS, _HEAP = 0, 4, 8, 16, 128, 1024

_DROP, _RETURN, _UNREACHABLE, _END = b"\x1a", b"\x0f", b"\x00", b"\x0b"
_IF, _EQUAL, _ADD, _STORE = b"\x04\x40", b"\x46", b"\x6a", b"\x36\x02\x00"
_REQUEST, _RESPONSE, _ERROR, _INFO, _PLUGIN_CONFIGURATION = 0, 2, 4, 2, 7


def tiny_filter(
    header: str = "x-tiny",
    *,
    abi: str = "0_2_1",
    extra_import: str | None = None,
    trap_on_start: bool = False,
    start_returns: int = 1,
    without: Collection[str] = (),
    names: bool = True,
) -> bytes:
    """A module that adds ``header: <its configuration>``.

    ``extra_import`` is one more function of ``env`` to ask for; ``without`` leaves exports out;
    ``names=False`` drops the name section.
    """
    five = "i32 i32 i32 i32 i32 -> i32"
    imports = [("env", "proxy_get_buffer_bytes", five), ("env", "proxy_add_header_map_value", five)]
    imports.append(("env", "proxy_log", "i32 i32 i32 -> i32"))
    imports += [("env", extra_import, "void -> void")] if extra_import else []
    functions = {
        f"proxy_abi_version_{abi}": "void -> void",
        "malloc": "i32 -> i32",
        "proxy_on_vm_start": "i32 i32 -> i32",
        "proxy_on_configure": "i32 i32 -> i32",
        "proxy_on_request_headers": "i32 i32 i32 -> i32",
        "proxy_on_response_headers": "i32 i32 i32 -> i32",
        "check_config": "void -> void",
        "fail_on_purpose": "void -> void",
    }
    functions = {title: signature for title, signature in functions.items() if title not in without}
    at = {title: index for index, title in enumerate([*(item for _, item, _ in imports), *functions])}
    bodies = {
        "malloc": _load(_FREE) + _number(_FREE) + _load(_FREE) + _local(0) + _ADD + _STORE,
        "proxy_on_vm_start": _UNREACHABLE if trap_on_start else _number(start_returns),
        "proxy_on_configure": _configure(at),
        "proxy_on_request_headers": _when("#", _UNREACHABLE) + _add_header(at, _REQUEST, header) + _number(0),
        "proxy_on_response_headers": _add_header(at, _RESPONSE, header) + _number(0),
        "check_config": _call(at["fail_on_purpose"]),
        "fail_on_purpose": _UNREACHABLE,
    }
    data = {_FREE: _HEAP.to_bytes(4, "little"), _HEADER: header.encode(), _WORDS: REFUSAL.encode()}
    segments = section(11, vec(b"\0" + _number(place) + _END + name(held) for place, held in data.items()))
    symbols = name_section({index: title for title, index in at.items()}) if names else b""
    return Program(
        imports=imports,
        functions=functions,
        bodies={title: body(code) for title, code in bodies.items()},
        tail=segments + symbols,
    ).encode()


def _configure(at: dict[str, int]) -> bytes:
    """Fetch the configuration, do what its first character says, log it."""
    fetch = _call(
        at["proxy_get_buffer_bytes"],
        *(_number(_PLUGIN_CONFIGURATION), _number(0), _local(1), _number(_CONFIG), _number(_CONFIG_SIZE)),
    )
    refuse = _call(at["proxy_log"], _number(_ERROR), _number(_WORDS), _number(len(REFUSAL)))
    show = _call(at["proxy_log"], _number(_INFO), _load(_CONFIG), _load(_CONFIG_SIZE))
    return (
        _local(1)
        + _IF
        + (fetch + _DROP + _END)
        + _when("!", refuse + _DROP + _number(0) + _RETURN)
        + _when("*", _call(at["check_config"]))
        + (show + _DROP + _number(1))
    )


def _add_header(at: dict[str, int], where: int, header: str) -> bytes:
    key, value = (_number(_HEADER), _number(len(header))), (_load(_CONFIG), _load(_CONFIG_SIZE))
    return _call(at["proxy_add_header_map_value"], _number(where), *key, *value) + _DROP


def _when(letter: str, then: bytes) -> bytes:
    """Do ``then`` if the configuration starts with ``letter``."""
    first = _load(_CONFIG) + b"\x2d\x00\x00"
    return first + _number(ord(letter)) + _EQUAL + _IF + then + _END


def _call(function: int, *arguments: bytes) -> bytes:
    return b"".join(arguments) + b"\x10" + u(function)


def _number(value: int) -> bytes:
    return b"\x41" + s(value)


def _load(place: int) -> bytes:
    return _number(0) + b"\x28\x02" + u(place)


def _local(index: int) -> bytes:
    return b"\x20" + u(index)
