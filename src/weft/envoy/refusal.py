"""Why Envoy ended, or turned an update down, in words that help.

Envoy's last word is "Unable to create Wasm plugin p". The reason stands above it in the log: what the filter
said itself, where it trapped, or what Envoy misses in the module. All of it is read off the log here; nothing
is asked and nothing is printed.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from weft.envoy.logs import Record, filter_line, is_at_least
from weft.errors import FilterRefused, UsageError, WeftError
from weft.mesh import Plugin

__all__ = ["Symbolize", "Trap", "explain_end", "explain_refusal", "is_explained", "symbolized", "trap_in"]

Symbolize = Callable[[str, Sequence[str]], Iterable[str]]
"""A filter's id and the lines of a backtrace → the same with what its module says of them."""

_TRAP = re.compile(
    r"Function: (?P<function>\S+) failed: (?:Uncaught )?(?P<reason>[^\n]*)(?P<trace>.*)", re.DOTALL
)
_FATAL = (
    re.compile(r"error initializing configuration '[^']*': (?P<why>.*)", re.DOTALL),
    re.compile(r"error `(?P<why>.*?)` initializing config", re.DOTALL),
)
_PLUGIN = re.compile(r"Unable to create Wasm plugin (?P<id>\S+)")
_BIND = re.compile(r"cannot bind '(?P<address>[^']*)': (?P<reason>.*)")
_ARGUMENT = re.compile(r"PARSE ERROR:\s*(?P<why>.*?)(?:\n\s*\n|Brief USAGE)", re.DOTALL)

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
_CONSEQUENCES = ((r"^Wasm VM failed ", ""), (r"^Plugin .* failed to load$", ""))
_CHECK = "weft check says what Envoy wants of a module"
_LAST_LINES = 20


@dataclass(frozen=True, slots=True)
class Trap:
    """A crash inside a module."""

    function: str
    """What Envoy had called."""
    reason: str
    trace: str
    """Empty when the module keeps no names: Envoy prints no backtrace then."""


def is_explained(record: Record) -> bool:
    """Whether ``explain_refusal`` says what this message of Envoy's says."""
    return any(re.search(pattern, record.message) for pattern, _ in (*_COMPLAINTS, *_CONSEQUENCES))


def trap_in(record: Record) -> Trap | None:
    """The crash that ``record`` reports, if it reports one."""
    found = _TRAP.match(record.message) if record.component == "wasm" else None
    return Trap(found["function"], found["reason"], found["trace"].strip("\n")) if found else None


def explain_refusal(
    records: Sequence[Record],
    name: str,
    plugins: Iterable[Plugin] = (),
    symbolize: Symbolize | None = None,
) -> FilterRefused:
    """What kept the filter ``name`` from running, from the log that led there."""
    words = _own_words(records, name, plugins)
    for trap in filter(None, map(trap_in, records)):
        trace = symbolized(trap.trace, name, symbolize)
        return FilterRefused(
            f"{name} trapped in {trap.function}: {trap.reason}",
            detail=_joined([*words, trace]),
            hint=None if trace else "a module that keeps its names shows where: do not strip them",
        )
    fault = _complaint(records)
    if "refused" not in fault:
        return FilterRefused(f"{name} {fault}", detail=_joined(words), hint=_CHECK)
    silent = "the filter gave no reason; let it log one before it returns false"
    return FilterRefused(f"{name} {fault}", detail=_joined(words), hint=None if words else silent)


def _own_words(records: Sequence[Record], name: str, plugins: Iterable[Plugin]) -> list[str]:
    """What the filter said: its complaints, or all of its last words when it had none."""
    known = list(plugins)
    said = [line for record in records if (line := filter_line(record, known))]
    said = [line for line in said if line.name == name or not known]
    grave = [line for line in said if is_at_least(line.level, "warning")]
    return list(dict.fromkeys(line.words for line in grave or said))[-_LAST_LINES:]


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


def symbolized(trace: str, name: str, symbolize: Symbolize | None) -> str:
    """A backtrace of the filter ``name`` with what its module says of the functions in it."""
    return "\n".join(symbolize(name, trace.splitlines())) if symbolize else trace


def _fatal(records: Sequence[Record]) -> str | None:
    for record in reversed(records):
        for form in _FATAL:
            if found := form.search(record.message):
                return " ".join(found["why"].split())  # protobuf strews blanks over its texts
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
