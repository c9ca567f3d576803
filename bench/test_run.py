"""How long an author waits for a test run: twenty tests of one module, the whole command.

Usage: python bench/test_run.py [runs]

The untouched add-header templates, and twenty times the same test: a response comes, the header is there.
`weft test` gives every scenario a VM of its own. `go test` is the Go SDK's test host (``proxytest/``), with a
host for each test, as its examples have it, and with one for all; *its program* is what `go test` builds and
runs, by itself. *Warm* is a run after another one. *Rebuilt* is the first run with a module that nobody has
seen: the same code with another custom section.

A row has the median of its runs, which take turns; what takes more than five seconds runs once. What weft
compiled is kept in a folder that nobody else fills meanwhile. Go is needed.
"""

import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.testhost import CACHE, MODULES, ROOT, WEFT, built

SLOW = 5.0
EACH, ALL = "TestEachOnAHostOfItsOwn", "TestAllOnOneHost"
SCENARIOS = """\
scenarios:
  - name: adds its header to ${status}
    table: [%s]
    plugin: {config: ""}
    steps:
      - request: {}
      - response: {status: "${status}"}
        expect: {client: {only_headers: {":status": "${status}", hello: world}}}
"""
# As users run it: with compiled bytecode kept.
ENV = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
PEER = ROOT / "bench" / "proxytest"
PROGRAM = CACHE / "bench" / "proxytest.test"

Run = Callable[[Path], float]
"""A module → seconds."""


def main(runs: int) -> None:
    """Build, measure in turns, print."""
    subprocess.run(["go", "test", "-C", PEER, "-c", "-o", PROGRAM, "."], check=True)
    print(f"{'module':<8} {'test run':<34} {'warm s':>8} {'vs weft':>8} {'rebuilt s':>10} {'vs weft':>8}")
    with tempfile.TemporaryDirectory() as folder:
        for language in MODULES:
            module, name = built(language, Path(folder))
            report(language, module, ways(module.with_name(name), name), runs)


def ways(project: Path, root_id: str) -> dict[str, Run]:
    """What runs twenty tests."""
    for old in (project / "tests").iterdir():
        old.unlink()
    table = ", ".join(f"{{status: {200 + number}}}" for number in range(20))
    (project / "tests" / "twenty.yaml").write_text(SCENARIOS % table)

    def weft(module: Path) -> float:
        words = (WEFT, "test", project, "--module", module)
        return seconds(words, says="20 passed, 0 failed", WEFT_HOME=str(project.with_name("home")))

    def peer(*command: str | Path) -> Run:
        def run(module: Path) -> float:
            return seconds(command, says="", MODULE=str(module), ROOT_ID=root_id)

        return run

    go = ("go", "test", "-C", PEER, "-count=1", "-run")
    return {
        "weft test": weft,
        "go test, a host for each": peer(*go, EACH, "."),
        "go test, one host for all": peer(*go, ALL, "."),
        "its program, one host for all": peer(PROGRAM, "-test.run", ALL),
    }


def report(title: str, module: Path, ways: dict[str, Run], runs: int) -> None:
    """Measure all of them; a line for each."""
    warm = {name: [run(module)] for name, run in ways.items()}
    rebuilt = {name: [run(changed(module))] for name, run in ways.items()}
    for _ in range(runs):
        for name, run in ways.items():
            if warm[name][0] < SLOW:
                warm[name].append(run(module))
                rebuilt[name].append(run(changed(module)))
    medians = {
        name: (statistics.median(warm[name][1:] or warm[name]), statistics.median(rebuilt[name]))
        for name in ways
    }
    ours = medians["weft test"]
    for name, (now, new) in medians.items():
        print(f"{title:<8} {name:<34} {now:>8.2f} {now / ours[0]:>8.2f} {new:>10.2f} {new / ours[1]:>8.2f}")


def changed(module: Path) -> Path:
    """The same code as a module that is new to everybody: a custom section more."""
    content = b"\x05build" + secrets.token_bytes(16)
    path = module.with_name("rebuilt.wasm")
    path.write_bytes(module.read_bytes() + bytes((0, len(content))) + content)
    return path


def seconds(command: tuple[str | Path, ...], says: str, **env: str) -> float:
    """Of one process."""
    started = time.perf_counter()
    done = subprocess.run(command, env={**ENV, **env}, capture_output=True, text=True, check=False)
    took = time.perf_counter() - started
    if done.returncode or says not in done.stdout:
        sys.exit(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return took


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
