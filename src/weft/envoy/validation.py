"""Ask the real Envoy whether it would take a bootstrap, without serving anything.

``--mode validate`` starts every static filter and runs its configure. It does not look at code that must be
fetched from a network.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from weft.envoy.guardian import guarded
from weft.envoy.logs import FilterLine, LogParser, Record, filter_line
from weft.envoy.program import Program
from weft.envoy.refusal import Symbolize, explain_end
from weft.errors import FilterRefused, WeftError
from weft.mesh import Plugin

__all__ = ["Verdict", "validate"]

_TIMEOUT = 30.0
_MAX_OUTPUT = 4 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Verdict:
    """What Envoy says of a bootstrap."""

    refusal: WeftError | None
    """Why not, or ``None`` when it would serve."""
    said: tuple[FilterLine, ...]
    """What the filters said while they were started."""


async def validate(
    program: Program,
    bootstrap: Mapping[str, Any],
    *,
    folder: Path,
    env: Mapping[str, str],
    plugins: Sequence[Plugin] = (),
    symbolize: Symbolize | None = None,
) -> Verdict:
    """Try ``bootstrap``; ``folder`` is ours to write into. Raises ``PartMissing`` when Envoy cannot start."""
    file = folder / "validate.json"
    file.write_text(json.dumps(bootstrap))
    # Component levels do not reach this mode, so the filters' own words need the general level.
    words = ["--mode", "validate", "--config-path", str(file), "--log-level", "info"]
    command = program.command(words, folder)
    async with guarded(command, env=env, last=program.last) as process:
        try:
            async with asyncio.timeout(_TIMEOUT):
                output = await process.output.read(_MAX_OUTPUT)
                while len(output) < _MAX_OUTPUT and (more := await process.output.read(_MAX_OUTPUT)):
                    output += more
                code = await process.wait()
        except TimeoutError:
            late = f"Envoy did not finish its check within {_TIMEOUT:g} s"
            return Verdict(FilterRefused(late, hint="a filter that loops in its start never ends"), ())
    parser = LogParser()
    records: list[Record] = [*parser.feed(output), *parser.flush()]
    said = tuple(dict.fromkeys(line for record in records if (line := filter_line(record, plugins))))
    return Verdict(explain_end(records, code, plugins, symbolize) if code else None, said)
