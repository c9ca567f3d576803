"""How many requests a second a test host takes through a module, on one core, without Envoy.

Usage: python bench/testhost.py [rounds]

The untouched add-header templates, on weft's test host, on the same as machine code (docs/adr/0006), and on
the Go SDK's (``proxytest/``), each host a process of its own; they take turns. The best round of each is
shown: on a machine with other work the rest measures that work. *Start* is a whole process with one request,
from nothing but what the host itself kept of earlier runs. A request on weft's host is request headers,
response headers and the end of the stream, under limits of time and memory; the peer leaves out the request
and the end, and has no limits.

The machine code and the Go program are built into weft's cache, and left out where that fails. The Rust test
framework of proxy-wasm is left out: no registry has it, and it runs neither module (README.md).
"""

import contextlib
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from weft.base.paths import Places
from weft.testhost import Code, Host, Plugin, World

MODULES = ("cpp", "go")
REQUESTS, STARTS = 500, 3
REQUEST = ((":method", "GET"), (":path", "/"), (":authority", "x"))
RESPONSE = ((":status", "200"),)
ROOT = Path(__file__).parents[1]
WEFT = Path(sys.executable).with_name("weft")
CACHE = Places.from_env(os.environ).cache


def main(rounds: int) -> None:
    """Build, measure in turns, print."""
    hosts: dict[str, list[str | Path]] = {"weft": [sys.executable, __file__, "serve"]}
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        hosts["compiled"] = ["env", f"PYTHONPATH={compiled()}", *hosts["weft"]]
    with contextlib.suppress(OSError, subprocess.CalledProcessError):
        hosts["proxytest"] = [proxytest()]
    print(f"{'module':<8} {'host':<10} {'µs/request':>10} {'requests/s':>11} {'vs weft':>8} {'start ms':>9}")
    with tempfile.TemporaryDirectory() as folder:
        for language in MODULES:
            module, root_id = built(language, Path(folder))
            report(language, {name: [*command, module, root_id] for name, command in hosts.items()}, rounds)
    for name in {"compiled", "proxytest"} - hosts.keys():
        print(f"{name} was left out: it could not be built")


def compiled() -> Path:
    """A weft whose test host is machine code, of these sources."""
    sources = sorted((ROOT / "src" / "weft").rglob("*.py"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    folder = CACHE / "bench" / "compiled"
    mark = folder / "sources.sha256"
    if not mark.is_file() or mark.read_text() != digest:
        subprocess.run([ROOT / "scripts" / "compiled", folder], check=True, stderr=subprocess.DEVNULL)
        mark.write_text(digest)
    return folder


def proxytest() -> Path:
    """The peer's program."""
    program = CACHE / "bench" / "proxytest"
    folder = Path(__file__).with_name("proxytest")
    subprocess.run(["go", "build", "-C", folder, "-o", program, "."], check=True, stderr=subprocess.DEVNULL)
    return program


def built(language: str, folder: Path) -> tuple[Path, str]:
    """The untouched template as a module, and its root id."""
    name = f"add_header_{language}"
    for words in (["init", name, "--language", language], ["build", name, "--out", f"{name}.wasm", "--yes"]):
        done = subprocess.run([WEFT, *words], cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode:
            sys.exit(f"weft {' '.join(words)}: exit {done.returncode}\n{done.stderr}")
    return folder / f"{name}.wasm", name


def report(title: str, commands: dict[str, list[str | Path]], rounds: int) -> None:
    """Measure one module on each host; a line for each."""
    starts = {name: min(start(command) for _ in range(STARTS)) for name, command in commands.items()}
    with contextlib.ExitStack() as stack:
        served = {name: stack.enter_context(serving(command)) for name, command in commands.items()}
        taken = {name: [ask(process) for _ in range(3)] for name, process in served.items()}
        for _ in range(rounds):
            for name, process in served.items():
                taken[name].append(ask(process))
    best = {name: min(seconds) / REQUESTS for name, seconds in taken.items()}
    for name, seconds in best.items():
        print(
            f"{title:<8} {name:<10} {seconds * 1e6:>10.1f} {1 / seconds:>11,.0f} "
            f"{seconds / best['weft']:>8.2f} {starts[name] * 1000:>9.0f}"
        )


def start(command: list[str | Path]) -> float:
    """Seconds from nothing to one answered request."""
    started = time.perf_counter()
    with serving(command) as process:
        ask(process, 1)
        return time.perf_counter() - started


@contextlib.contextmanager
def serving(command: list[str | Path]) -> Iterator[subprocess.Popen[str]]:
    """A host that waits to be asked; it ends when there is nothing more to read."""
    env = {**os.environ, "GOMAXPROCS": "1"}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, env=env) as process:
        yield process


def ask(process: subprocess.Popen[str], requests: int = REQUESTS) -> float:
    """Seconds for so many requests."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{requests}\n")
    process.stdin.flush()
    return float(process.stdout.readline())


def serve(module: Path, root_id: str) -> None:
    """Answer ``ask`` with weft's test host."""
    code = Code.load(module.read_bytes(), CACHE / "modules")
    host = Host.start(code, Plugin(root_id=root_id), world=World(tracing=False))
    for line in sys.stdin:
        started = time.perf_counter()
        for _ in range(int(line)):
            stream = host.stream()
            stream.request_headers(REQUEST, end=True)
            stream.response_headers(RESPONSE, end=True)
        took = time.perf_counter() - started
        if stream.client.headers != (*RESPONSE, ("hello", "world")):
            sys.exit("the filter did not add its header")
        print(took, flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(Path(sys.argv[2]), sys.argv[3])
    else:
        main(int(sys.argv[1]) if len(sys.argv) > 1 else 60)
