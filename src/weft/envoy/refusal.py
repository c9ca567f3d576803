"""Why Envoy ended, or turned an update down, in words that help.

Envoy's last word is "Unable to create Wasm plugin p". The reason stands above it in the log: what the filter
said itself, where it trapped, or what Envoy misses in the module. All of it is read off the log here; nothing
is asked and nothing is printed.
"""

import re
from collections.abc import Callable, Iterable, Sequence

from weft.envoy.logs import Record, filter_line
from weft.errors import FilterRefused, UsageError, WeftError
from weft.mesh import Plugin

__all__ = ["Symbolize", "explain_end", "explain_refusal", "symbolized"]

Symbolize = Callable[[int], str | None]
"""Offset in the module's file → ``src/filter.cc:48``, or ``None`` where that is not known."""

_TRAP = re.compile(
    r"Function: (?P<function>\S+) failed: (?:Uncaught )?(?P<reason>[^\n]*)(?P<trace>.*)", re.DOTALL
)
_FRAME = re.compile(r"^(\s*\d+:\s+0x([0-9a-f]+) - .*)$", re.MULTILINE)
_FATAL = (
    re.compile(r"error initializing configuration '[^']*': (?P<why>.*)", re.DOTALL),
    re.compile(r"error `(?P<why>.*?)` initializing config", re.DOTALL),
)
_PLUGIN = re.compile(r"Unable to create Wasm plugin (?P<id>\S+)")
_BIND = re.compile(r"cannot bind '(?P<address>[^']*)': (?P<reason>.*)")
_ARGUMENT = re.compile(r"PARSE ERROR:\s*(?P<why>.*?)\n\s*\n", re.DOTALL)

# What proxy-wasm's host says → what that means, {0} being what it names. The first match wins: consequences
# ("Failed to load Wasm code") follow their causes in the log.
_COMPLAINTS = (
    (r"due to a missing import: (\S+)", "imports {0}, which Envoy does not offer"),
    (r"import type mismatch(.*)", "imports a function under a wrong signature{0}"),
    (r"Bad function signature for: (.*)", "exports a function with a wrong signature: {0}"),
    (r"(?:Missing or unknown Proxy-Wasm ABI version)", "does not name a proxy-wasm ABI that Envoy knows"),
    (r"missing malloc function", "exports neither proxy_on_memory_allocate nor malloc"),
    (r"corrupted Wasm module", "is not a WebAssembly module that Envoy can read"),
    (r"Failed to start base Wasm", "refused to start: its proxy_on_vm_start said no"),
    (r"Failed to configure base Wasm plugin", "refused its configuration"),
    (
        r"Failed to create new Wasm instance",
        "cannot be started: too much memory, or its start function failed",
    ),
)
_CHECK = "weft check says what Envoy wants of a module"
_LAST_LINES = 20


def explain_refusal(
    records: Sequence[Record],
    name: str,
    plugins: Iterable[Plugin] = (),
    symbolize: Symbolize | None = None,
) -> FilterRefused:
    """What kept the filter ``name`` from running, from the log that led there."""
    said = [line for record in records if (line := filter_line(record, plugins))]
    words = list(dict.fromkeys(line.words for line in said if line.name == name or len(said) == 1))
    for record in records:
        if record.component == "wasm" and (trap := _TRAP.match(record.message)):
            trace = symbolized(trap["trace"].strip("\n"), symbolize)
            hint = (
                None
                if trace
                else "a module with a name section shows where: build it without stripping names"
            )
            return FilterRefused(
                f"{name} trapped in {trap['function']}: {trap['reason']}",
                detail=_joined([*words, trace]),
                hint=hint,
            )
    fault = _complaint(records)
    own = "refused" in fault
    silent = "the filter gave no reason; let it log one before it returns false" if not words else None
    return FilterRefused(f"{name} {fault}", detail=_joined(words), hint=silent if own else _CHECK)


def explain_end(
    records: Sequence[Record], code: int, plugins: Iterable[Plugin] = (), symbolize: Symbolize | None = None
) -> WeftError:
    """Why Envoy ended before it answered requests, or without being asked to."""
    text = "\n".join(record.message for record in records)
    if argument := _ARGUMENT.search(text + "\n\n"):
        return UsageError("--envoy-run-args: Envoy does not know " + " ".join(argument["why"].split()))
    why = _fatal(records)
    if why is None:
        tail = "\n".join(text.splitlines()[-_LAST_LINES:])
        return WeftError(f"Envoy ended with exit code {code}", detail=tail or None)
    if plugin := _PLUGIN.search(why):
        return explain_refusal(records, plugin["id"], plugins, symbolize)
    if bind := _BIND.search(why):
        return _not_bound(bind["address"], bind["reason"])
    return UsageError("Envoy does not accept the bootstrap", detail=why)


def symbolized(trace: str, symbolize: Symbolize | None) -> str:
    """A backtrace with the source line behind each frame that has one."""

    def located(frame: re.Match[str]) -> str:
        place = symbolize(int(frame[2], 16)) if symbolize else None
        return f"{frame[1]} at {place}" if place else frame[1]

    return _FRAME.sub(located, trace)


def _fatal(records: Sequence[Record]) -> str | None:
    for record in reversed(records):
        for form in _FATAL:
            if found := form.search(record.message):
                return found["why"].strip()
    return None


def _complaint(records: Sequence[Record]) -> str:
    for record in records:
        for pattern, meaning in _COMPLAINTS:
            if found := re.search(pattern, record.message):
                return meaning.format(*found.groups())
    return "was refused by Envoy" if not records else f"was refused by Envoy: {records[-1].message}"


def _not_bound(address: str, reason: str) -> WeftError:
    if "in use" in reason:
        return WeftError(
            f"{address} is taken by another program",
            hint="choose another port with --port or --admin-port; 0 takes a free one",
        )
    hint = "ports below 1024 are for root; choose another with --port" if "denied" in reason.lower() else None
    return WeftError(f"Envoy cannot listen on {address}: {reason}", hint=hint)


def _joined(parts: Iterable[str]) -> str | None:
    return "\n".join(part for part in parts if part) or None
