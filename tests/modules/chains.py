"""Filters for chains, assembled: each does one thing and is told everything."""

from modules.guests import HEAP, TEXT, calling, const, pausing
from modules.wasm_encoder import body, proxy_module
from weft.wasm import CALLBACKS

__all__ = ["NEIGHBORS", "OBSERVER", "chained", "observer", "pausing_observer", "told"]

_EVENTS = {
    "on_context_create": 0, "on_request_headers": 0, "on_request_body": 0, "on_request_trailers": 0,
    "on_response_headers": 0, "on_response_body": 0, "on_response_trailers": 0, "on_log": 0, "on_done": 1,
    "on_delete": 0,
}  # fmt: skip
_REPLY = ("proxy_send_local_response", (418, TEXT, 3, TEXT, 3, 0, 0, 0xFFFFFFFF))
_SIGNATURES = {row.name: str(row.signature) for row in CALLBACKS if "0.2.1" in row.abis}


def observer(**actions: int) -> bytes:
    """A filter that is told everything, does nothing and returns these numbers."""
    returned = {f"proxy_{name}": value for name, value in {**_EVENTS, **actions}.items()}
    exports = {name: _SIGNATURES[name] for name in returned}
    bodies = {
        name: body(b"" if exports[name].endswith("void") else const(value))
        for name, value in returned.items()
    }
    return proxy_module(exports=exports, bodies={"malloc": body(const(HEAP)), **bodies})


def pausing_observer(event: str, **actions: int) -> bytes:
    """The same, which waits in one callback for the answer to a call."""
    others = {f"proxy_{name}": value for name, value in {**_EVENTS, **actions}.items()}
    return pausing(cluster=b"a", during=f"proxy_{event}", also=others)


def doing(*calls: tuple[str, tuple[int, ...]], during: str, returns: int = 0, text: bytes = b"tea") -> bytes:
    """A filter that is told everything and calls host functions in one callback."""
    others = {f"proxy_{name}": value for name, value in _EVENTS.items() if name != during}
    return calling(*calls, during=f"proxy_{during}", returns=returns, text=text, also=others)


OBSERVER = observer()
_ASKED = b"a\3\0\0\0\7\0\0\0\3\0\0\0\5\0\0\0\1\0\0\0\12\0\0\0\1\0\0\0:method\0GET\0:path\0/\0:authority\0x\0"
NEIGHBORS = {
    "watch": OBSERVER,
    "wait": observer(on_request_headers=1, on_response_headers=1),
    "hold response": observer(on_response_headers=1),
    "buffer": observer(on_request_body=1, on_response_body=1),
    "drop": observer(on_request_body=3, on_response_body=3),
    "hold trailers": observer(on_request_trailers=1, on_response_trailers=1),
    "close": doing(("proxy_close_stream", (0,)), during="on_request_headers", returns=1),
    "ask": doing(
        ("proxy_http_call", (TEXT, 1, TEXT + 1, 61, 0, 0, 0, 0, 300, 64)),
        during="on_request_headers", text=_ASKED,
    ),
    "count": doing(
        ("proxy_define_metric", (0, TEXT, 3, 64)), ("proxy_increment_metric", (4, 2)),
        during="on_request_headers",
    ),
    "set": doing(("proxy_set_property", (TEXT, 1, TEXT, 3)), during="on_request_headers"),
    "get": doing(
        ("proxy_get_property", (TEXT, 1, 64, 68)),
        ("proxy_send_local_response", (200, 0, 0, HEAP, 3, 0, 0, 0)),
        during="on_request_headers", returns=1,
    ),
    "tick": doing(("proxy_set_tick_period_milliseconds", (400,)), during="on_request_headers"),
    "refuse": calling(("proxy_log", (4, TEXT, 3)), during="proxy_on_configure", returns=0, text=b"tea"),
    "trap": proxy_module(
        exports={"proxy_on_request_headers": _SIGNATURES["proxy_on_request_headers"]},
        bodies={"malloc": body(const(HEAP)), "proxy_on_request_headers": body(b"\0\x41\0")},
    ),
    **{
        f"answer {event}": doing(_REPLY, during=f"on_{event.replace(' ', '_')}", returns=1)
        for event in ("request headers", "request body", "response headers", "response body")
    },
    **{
        letter: doing(("proxy_log", (2, TEXT, 1)), during="on_request_headers", text=letter.encode())
        for letter in "ab"
    },
    "pause": pausing(cluster=b"a"),
    "pause and watch": pausing_observer("on_request_headers"),
    "pause in the body": pausing_observer("on_request_body"),
}  # fmt: skip


def chained(before: list[str], after: list[str], steps: str) -> str:
    """A scenario with these around the filter."""
    first, last = (
        ", ".join(f"{{module: {name}, name: {name}}}" for name in names) for names in (before, after)
    )
    return f"setup: {{before: [{first}], after: [{last}]}}, steps: [{steps}]"


def told(trace: list[str]) -> list[str]:
    """The callbacks of all filters, in order; how much memory they are asked for is not told."""
    start, asked = "[host->vm] proxy_on_", "memory_allocate"
    lines = [line.removeprefix(start) for line in trace if line.startswith(start)]
    return [line for line in lines if not line.startswith(asked)]
