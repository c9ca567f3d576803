"""Modules for the test host, assembled to do one thing.

``calling`` makes a guest that calls host functions in one callback and keeps their answers at ``ANSWERS``;
``answering`` one whose callbacks return given numbers. Texts a guest needs lie at ``TEXT``.
"""

from collections.abc import Iterable, Mapping, Sequence

from modules.wasm_encoder import body, name_section, proxy_module, s, section, u, vec
from weft.testhost import Code, Host, Limits, Plugin, World
from weft.testhost.abi import encode_pairs
from weft.wasm import CALLBACKS, HOST_FUNCTIONS, HostFunction

TEXT = 1024
"""Where ``text`` lies."""
HEAP = 4096
"""What the allocator always gives."""
ANSWERS = 16384
"""Where a calling guest keeps what it was answered, four bytes each."""
PAGE = 65536
REQUEST = ((":method", "GET"), (":path", "/a?b=c"), (":authority", "x"))

_SIGNATURES = {row.name: str(row.signature) for row in CALLBACKS if "0.2.1" in row.abis}
_ROWS: dict[str, HostFunction] = {row.name: row for row in reversed(HOST_FUNCTIONS)}


def const(value: int, kind: str = "i32") -> bytes:
    """Push a number, given unsigned."""
    bits = 32 if kind == "i32" else 64
    signed = value - (1 << bits) if value >= 1 << (bits - 1) else value
    return (b"\x41" if kind == "i32" else b"\x42") + s(signed)


def row(name: str) -> HostFunction:
    """The host function of that name; ``wasi_unstable`` for those of WASI."""
    return _ROWS[name]


def data(*pieces: tuple[int, bytes]) -> bytes:
    """A data section."""
    return section(11, vec(b"\0" + const(at) + b"\x0b" + u(len(text)) + text for at, text in pieces))


def calling(
    *calls: tuple[str, Sequence[int]],
    during: str = "proxy_on_vm_start",
    returns: int = 1,
    text: bytes = b"",
    pieces: Sequence[tuple[int, bytes]] = (),
    abi: str = "0_2_1",
    also: Mapping[str, int] | None = None,
    imports_only: Iterable[str] = (),
) -> bytes:
    """A guest that makes ``calls`` in the callback ``during``; ``read_answers`` gives what came back."""
    rows = [row(name) for name, _ in calls]
    unique = list(dict.fromkeys([*rows, *(row(name) for name in imports_only)]))
    code = b""
    for index, (found, (_, arguments)) in enumerate(zip(rows, calls, strict=True)):
        pushed = b"".join(
            const(value, kind) for value, kind in zip(arguments, found.signature.params, strict=True)
        )
        call = pushed + b"\x10" + u(unique.index(found))
        code += const(ANSWERS + 4 * index) + call + b"\x36\x02\0" if found.signature.results else call
    exports = {name: _signature(name, abi) for name in [during, *(also or {})]}

    def returning(name: str, value: int) -> bytes:
        return b"" if exports[name].endswith("void") else const(value)

    bodies = {name: body(returning(name, value)) for name, value in (also or {}).items()}
    bodies[during] = body(code + returning(during, returns))
    return proxy_module(
        abi=abi,
        imports=[(found.module, found.name, str(found.signature)) for found in unique],
        exports=exports,
        bodies={"malloc": body(const(HEAP)), **bodies},
        tail=data(*pieces, *([(TEXT, text)] if text else [])) if text or pieces else b"",
    )


def _signature(name: str, abi: str) -> str:
    version = abi.replace("_", ".")
    return str(next(row.signature for row in CALLBACKS if row.name == name and version in row.abis))


def answering(**actions: int) -> bytes:
    """A guest whose callbacks do nothing but return these numbers."""
    exports = {f"proxy_{name}": _SIGNATURES[f"proxy_{name}"] for name in actions}
    bodies = {f"proxy_{name}": body(const(value)) for name, value in actions.items()}
    return proxy_module(exports=exports, bodies={"malloc": body(const(HEAP)), **bodies})


def running(code: bytes, *, during: str = "proxy_on_request_headers", names: bool = True) -> bytes:
    """A guest with ``code`` as its only callback; ``names`` gives it a name section."""
    bodies = {"malloc": body(const(HEAP)), during: body(code)}
    tail = name_section({2: "the_callback"}) if names else b""
    return proxy_module(exports={during: _SIGNATURES[during]}, bodies=bodies, tail=tail)


def pausing(
    *,
    cluster: bytes = b"auth",
    during: str = "proxy_on_request_headers",
    also: Mapping[str, int] | None = None,
) -> bytes:
    """A guest that calls a cluster when something comes, and goes on with it when the answer comes.

    ``also`` are callbacks that it only returns from.
    """
    headers = encode_pairs(REQUEST)
    call, choose, resume, status = (
        row(name)
        for name in (
            "proxy_http_call", "proxy_set_effective_context", "proxy_continue_stream", "proxy_get_status",
        )
    )  # fmt: skip
    asks = [TEXT, len(cluster), 512, len(headers), 0, 0, 0, 0, 1500, 64]
    on_event = b"".join(map(const, asks)) + b"\x10\0\x1a" + const(1)
    on_reply = const(ANSWERS + 8) + const(68) + const(72) + const(76) + b"\x10\3\x36\x02\0"
    on_reply += const(ANSWERS) + const(2) + b"\x10\1\x36\x02\0"
    on_reply += const(ANSWERS + 4) + const("response" in during) + b"\x10\2\x36\x02\0"
    more, reply = {**(also or {})}, "proxy_on_http_call_response"
    more.pop(during, None)
    exports = {name: _signature(name, "0_2_1") for name in (during, reply, *more)}
    returned = {
        name: body(b"" if exports[name].endswith("void") else const(value)) for name, value in more.items()
    }
    return proxy_module(
        imports=[(item.module, item.name, str(item.signature)) for item in (call, choose, resume, status)],
        exports=exports,
        bodies={"malloc": body(const(HEAP)), during: body(on_event), reply: body(on_reply), **returned},
        tail=data((TEXT, cluster), (512, headers)),
    )


def start(
    module: bytes,
    *,
    config: bytes = b"",
    world: World | None = None,
    limits: Limits | None = None,
    **more: object,
) -> Host:
    """A host with ``module`` started."""
    plugin = Plugin(root_id="r", config=config, **more)  # type: ignore[arg-type]
    return Host.start(Code.load(module), plugin, world=world, limits=limits)


def read_answers(host: Host, count: int) -> list[int]:
    """What the first ``count`` host functions answered."""
    return [host.vm.memory.read_u32(ANSWERS + 4 * index) for index in range(count)]
