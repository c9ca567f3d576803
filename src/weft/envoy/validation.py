"""Ask a real Envoy about a module: ``--mode validate`` with one static filter.

That makes Envoy compile and link the module, run its start function and call ``proxy_on_vm_start`` and
``proxy_on_configure``, and then end without listening anywhere. What it says on the
way is read off its log, whose form is set here.
"""

import asyncio
import json
import re
import signal
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from weft.base.processes import Finished, run
from weft.envoy.guardian import guarded
from weft.errors import WeftError

__all__ = ["Outcome", "Verdict", "validate"]

# Compiling the largest Go modules takes about eight seconds on a busy machine.
_TIMEOUT_SECONDS = 120.0
_DIED = 128
_MOST_SAID = 4 * 1024 * 1024
_OPTIONS = (
    *("--mode", "validate", "--disable-hot-restart", "--concurrency", "1"),
    *("--log-level", "error", "--log-format", "%l|%n|%v"),
)
_LINE = re.compile(r"(?:error|critical)\|(\w+)\|(.*)")
_ANY_LINE = re.compile(r"\w+\|\w+\|")
_VERSION = re.compile(r"/(\d+\.\d+\.\d+[^/\s]*)/")

_PREFIX = "Wasm VM failed "
_NO_START = "Failed to start base Wasm"
_NO_CONFIGURE = "Failed to configure base Wasm plugin"
_V8_TRAP = "wasm://"  # V8's own line about a trap in the start function, on stderr without a form
# Consequences that only repeat that there was a reason.
_ECHOES = ("Failed to load Wasm code", "Failed to initialize Wasm code")
_NOISE = ("Plugin weft-check failed to load", "Plugin configured to fail closed failed to load")


class Outcome(StrEnum):
    """How far Envoy came with a module."""

    LOADED = "loaded"
    START_REFUSED = "start-refused"
    """Loaded; the filter's ``proxy_on_vm_start`` said no or trapped."""
    CONFIG_REFUSED = "config-refused"
    """Loaded and started; the filter's ``proxy_on_configure`` said no or trapped."""
    REFUSED = "refused"
    CRASHED = "crashed"

    @property
    def loads(self) -> bool:
        """Whether Envoy took the module; what the filter thinks of its config is another matter."""
        return self in {Outcome.LOADED, Outcome.START_REFUSED, Outcome.CONFIG_REFUSED}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an Envoy did with a module, and its words about it."""

    outcome: Outcome
    envoy: str
    """The version that was asked."""
    words: tuple[str, ...] = ()


async def validate(
    envoy: Path, data: bytes, *, env: Mapping[str, str], root_id: str = "", config: str = ""
) -> Verdict:
    """Let the program ``envoy`` validate the module ``data``, its filter being told ``config``.

    Raises ``PartMissing`` when it cannot be started and ``WeftError`` when it fails for another reason than
    the module.
    """
    version = _VERSION.search((await run([envoy, "--version"], env=env, timeout=_TIMEOUT_SECONDS)).output)
    with tempfile.TemporaryDirectory(prefix="weft-check-") as name:
        module, bootstrap = Path(name) / "filter.wasm", Path(name) / "bootstrap.json"
        module.write_bytes(data)
        bootstrap.write_text(json.dumps(_bootstrap(module, root_id, config)))
        ended = await _ended([str(envoy), "--config-path", str(bootstrap), *_OPTIONS], env)
    return _verdict(ended, version[1] if version else "of unknown version")


async def _ended(command: list[str], env: Mapping[str, str]) -> Finished:
    """A filter may loop when it is started, and then Envoy must end when we do."""
    try:
        async with guarded(command, env=env) as process, asyncio.timeout(_TIMEOUT_SECONDS):
            said = bytearray()
            while chunk := await process.output.read(_MOST_SAID):
                said += chunk
                del said[:-_MOST_SAID]
            return Finished(await process.wait(), said.decode(errors="replace"))
    except TimeoutError as error:
        hint = "a filter that loops when it is started never ends"
        raise WeftError(f"Envoy did not finish within {_TIMEOUT_SECONDS:g} s", hint=hint) from error


def _bootstrap(module: Path, root_id: str, config: str) -> dict[str, Any]:
    """The smallest static configuration with the module as an HTTP filter."""
    types = "type.googleapis.com/envoy.extensions.filters"
    code = {"local": {"filename": str(module)}}
    plugin = {
        "name": "weft-check",
        "root_id": root_id,
        "configuration": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": config},
        "vm_config": {"runtime": "envoy.wasm.runtime.v8", "code": code},
    }
    manager = {
        "@type": f"{types}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "check",
        "route_config": {},
        "http_filters": [
            {"name": "wasm", "typed_config": {"@type": f"{types}.http.wasm.v3.Wasm", "config": plugin}},
            {"name": "router", "typed_config": {"@type": f"{types}.http.router.v3.Router"}},
        ],
    }
    listener = {
        "name": "check",
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
        "filter_chains": [{"filters": [{"name": "http", "typed_config": manager}]}],
    }
    return {"static_resources": {"listeners": [listener]}}


def _verdict(ended: Finished, version: str) -> Verdict:
    words = tuple(_words(ended.output))
    if ended.code == 0:
        return Verdict(Outcome.LOADED, version, words)
    if ended.code > _DIED:
        died = f"Envoy died: {signal.Signals(ended.code - _DIED).name}"
        return Verdict(Outcome.CRASHED, version, (died, *words))
    if not words:
        raise WeftError("Envoy failed for a reason other than the module", detail=ended.output)
    outcome = Outcome.REFUSED
    if _NO_CONFIGURE in words:
        outcome = Outcome.CONFIG_REFUSED
    elif _NO_START in words:
        outcome = Outcome.START_REFUSED
    return Verdict(outcome, version, words)


def _words(output: str) -> Iterator[str]:
    """What the log says about the module, without what every failure adds."""
    said: list[str] = []
    wasm = False
    for line in output.splitlines():
        if found := _LINE.match(line):
            wasm = found[1] == "wasm"
            if wasm:
                said.append(found[2].removeprefix(_PREFIX))
        elif line.startswith(_V8_TRAP):
            said.append(line)
        elif wasm and not _ANY_LINE.match(line):
            said[-1] += f"\n{line}"  # a backtrace goes on over several lines
    reasons = [text for text in dict.fromkeys(said) if text not in _NOISE]
    causes = [text for text in reasons if text not in _ECHOES]
    yield from causes or reasons or said[:1]
