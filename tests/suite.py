"""The suite: one filter in every language that does with the host all that its SDK offers, and its scenarios.

``tests/real/suite`` has a folder of sources per language, laid over the language's template, and the
scenarios, a file for each part of the ABI. What no SDK calls is called by filters assembled here.
``python tests/suite.py`` writes ``docs/host-functions.md``, the page of what was played.
"""

import asyncio
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from cases.hostile_calls import DATA, RIGHT
from modules.guests import HEAP, const, data
from modules.samples import project
from modules.wasm_encoder import body, proxy_module, u
from weft.base.names import Name
from weft.scenario import Case, Played, parse
from weft.templates import render
from weft.testhost import Code, Plugin, play
from weft.testhost.abi import encode_pairs
from weft.wasm import CALLBACKS, HOST_FUNCTIONS
from weft.workflows.testing.on_both import compared
from weft.workflows.testing.on_envoy import EnvoyJob, play_on_envoy
from worlds.staging import PROJECT, envoy

__all__ = [
    "BY_HAND", "LANGUAGES", "PAGE", "Performance", "by_hand", "called", "column", "columns_of", "performance",
    "rewritten",
]  # fmt: skip

SUITE = Path(__file__).parent / "real" / "suite"
PAGE = Path(__file__).parents[1] / "docs" / "host-functions.md"
_EVERYWHERE = ("http", "calls", "state", "connections")
_MORE = ("grpc", "reset", "sizes")
LANGUAGES = {
    "cpp": ("C++", (*_EVERYWHERE, *_MORE, "metadata")),
    "rust": ("Rust", (*_EVERYWHERE, *_MORE)),
    "assemblyscript": ("AssemblyScript", (*_EVERYWHERE, *_MORE, "metadata")),
    "go": ("Go", _EVERYWHERE),
}
"""Language → its name, and the files of scenarios for what its SDK offers."""

_CALLED = re.compile(r"\[vm->host\] (\w+\.\w+)\(")


@dataclass(frozen=True)
class Performance:
    """One module, and how its scenarios went on the host and on Envoy."""

    module: bytes
    host: tuple[Played, ...]
    envoy: tuple[Played, ...]


@cache
def performance(language: str) -> Performance:
    """The suite's filter in that language, built and played."""
    files = render(language, "add-header", Name.parse("suite"))
    sources = SUITE / language
    files |= {
        PurePosixPath(path.relative_to(sources)): path.read_bytes()
        for path in sources.rglob("*")
        if path.is_file()
    }
    _, module = project("suite", f"{language}-suite", files)
    parts = LANGUAGES[language][1]
    cases = [case for part in parts for case in parse((SUITE / f"{part}.yaml").read_text(), where=part)]
    return _played(module.read_bytes(), cases)


@cache
def by_hand(name: str) -> Performance:
    """A filter of ``BY_HAND``, played."""
    return _played(_assembled(*BY_HAND[name]), parse((SUITE / "by_hand.yaml").read_text(), where=name))


def _played(module: bytes, cases: Sequence[Case]) -> Performance:
    code = Code.load(module)
    host = [play(case, code, Plugin("my", "r")) for case in cases]
    job = EnvoyJob(module, envoy(), dict(os.environ), PROJECT, lambda _: frozenset("a"))
    return Performance(module, tuple(host), tuple(compared(host, asyncio.run(play_on_envoy(cases, job, 1)))))


def called(plays: Sequence[Played]) -> dict[str, set[str]]:
    """Host function → the files of scenarios that made filters call it."""
    found: dict[str, set[str]] = {}
    for played in plays:
        for line in played.trace:
            if match := _CALLED.match(line):
                found.setdefault(match[1], set()).add(played.case.where)
    return found


# What no SDK calls: the functions of ABI 0.1.0, and all of WASI. RIGHT has numbers that make sense.
BY_HAND = {
    "0.1.0, wasi_unstable": ("0.1.0", "wasi_unstable"),
    "0.2.1, wasi_snapshot_preview1": ("0.2.1", "wasi_snapshot_preview1"),
}
_CONTINUE = {
    "0.1.0": (("proxy_continue_request", ()), ("proxy_continue_response", ())),
    "0.2.1": (("proxy_continue_stream", (0,)), ("proxy_continue_stream", (1,))),
}
_TEXTS, _FIRST_CALL = 8192, 4
_CLUSTER, _ASKED = b"a", encode_pairs([(":method", "GET"), (":path", "/ask"), (":authority", "a")])


def _assembled(abi: str, wasi: str) -> bytes:
    """It calls everything when a request comes; either side waits for an answer to a call of its own."""
    rows = [row for row in HOST_FUNCTIONS if abi in row.abis and row.module in {"env", wasi}]
    index = {row.name: number for number, row in enumerate(rows)}

    def call(name: str, numbers: Sequence[int]) -> bytes:
        row = rows[index[name]]
        pushed = b"".join(const(n, kind) for n, kind in zip(numbers, row.signature.params, strict=True))
        return pushed + b"\x10" + u(index[name]) + (b"\x1a" if row.signature.results else b"")

    mine = [row.name for row in rows if not row.name.startswith("proxy_") or row.abis == ("0.1.0",)]
    calls = b"".join(call(name, RIGHT[name]) for name in mine if "continue" not in name)
    asks = call("proxy_http_call", (_TEXTS, 1, _TEXTS + 1, len(_ASKED), 0, 0, 0, 0, 2000, 64)) + const(1)
    request, response = (call(*words) for words in _CONTINUE[abi])
    is_first = b"\x20\1" + const(_FIRST_CALL) + b"\x46"
    bodies = {
        "proxy_on_request_headers": calls + asks,
        "proxy_on_response_headers": asks,
        "proxy_on_http_call_response": call("proxy_set_effective_context", (2,))
        + is_first + b"\x04\x40" + request + b"\x05" + response + b"\x0b",
    }  # fmt: skip
    exports = {row.name: str(row.signature) for row in CALLBACKS if row.name in bodies and abi in row.abis}
    return proxy_module(
        abi=abi.replace(".", "_"),
        imports=[(row.module, row.name, str(row.signature)) for row in rows],
        exports=exports,
        bodies={"malloc": body(const(HEAP))} | {name: body(code) for name, code in bodies.items()},
        tail=data(*DATA, (_TEXTS, _CLUSTER + _ASKED)),
    )


# The page.

_EVERY, _NONE = "all", "-"


def column(language: str) -> dict[str, str]:
    """Function of the ABI → what the page says of it."""
    found = called(performance(language).envoy)
    names = [row.name for row in HOST_FUNCTIONS if row.name.startswith("proxy_") and "0.2.1" in row.abis]
    every = set(LANGUAGES[language][1])

    def cell(played_by: set[str]) -> str:
        return _EVERY if played_by == every else ", ".join(sorted(played_by)) or _NONE

    return {name: cell(found.get(f"env.{name}", set())) for name in names}


def columns_of(page: str) -> dict[str, dict[str, str]]:
    """Language → its column, off the page."""
    lines = [line.strip("|").split("|") for line in page.splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line] for line in lines[2:]]
    return {
        language: {row[0].strip("`"): row[at] for row in rows} for at, language in enumerate(LANGUAGES, 1)
    }


def rewritten(page: str) -> str:
    """The page with a new table."""
    columns = {language: column(language) for language in LANGUAGES}
    rows = [["", *(title for title, _ in LANGUAGES.values())], ["---"] * (1 + len(LANGUAGES))]
    rows += [[f"`{name}`", *(columns[one][name] for one in LANGUAGES)] for name in columns["cpp"]]
    table = "".join(f"| {' | '.join(row)} |\n" for row in rows)
    return page[: page.index("| ")] + table + page[page.rindex("|\n") + 2 :]


if __name__ == "__main__":
    PAGE.write_text(rewritten(PAGE.read_text()))
