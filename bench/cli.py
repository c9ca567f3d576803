"""Whole-process times of what people wait for, beside what Python itself costs.

Usage: python bench/cli.py [runs]
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

WEFT = Path(sys.executable).with_name("weft")
# As users run it: with compiled bytecode kept.
ENV = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
SOURCES = {
    "cpp": "filter.cc",
    "assemblyscript": "assembly/index.ts",
    "rust": "src/lib.rs",
    "go": "main.go",
}


def main(runs: int) -> None:
    """Time each thing ``runs`` times and print the medians."""
    python = timed(runs, [sys.executable, "-S", "-c", "pass"])
    show("bare interpreter", python, python)
    show("import click", timed(runs, [sys.executable, "-c", "import click"]), python)
    show("weft --help", timed(runs, [WEFT, "--help"]), python)
    with tempfile.TemporaryDirectory() as folder:
        for language, source in SOURCES.items():
            project = Path(folder) / f"filter_{language}"
            subprocess.run([WEFT, "init", project, "--language", language], check=True, capture_output=True)
            build: list[str | Path] = [WEFT, "build", project, "--out", f"{folder}/{language}.wasm", "--yes"]
            subprocess.run(build, check=True, capture_output=True)
            times = timed(runs, build, before=edit(project / source))
            show(f"warm rebuild, {language}", times, python)
            module = Path(folder) / f"{language}.wasm"
            show(f"run to answer, {language}", answer(runs, module, project.name), python)


def timed(runs: int, command: list[str | Path], before: Callable[[], None] = lambda: None) -> list[float]:
    """Seconds of each run, after one that warms up."""
    seconds = []
    for _ in range(runs + 1):
        before()
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True, env=ENV)
        seconds.append(time.perf_counter() - start)
    return seconds[1:]


def edit(source: Path) -> Callable[[], None]:
    """A change to the source that the compiler has not seen."""
    original = source.read_text()
    count = iter(range(10_000))

    def change() -> None:
        source.write_text(f"{original}\n// edit {next(count)}\n")

    return change


def answer(runs: int, module: Path, root_id: str) -> list[float]:
    """Seconds from the start of `weft run` to its line that says requests are answered."""
    seconds = []
    for _ in range(runs + 1):
        start = time.perf_counter()
        process = subprocess.Popen(
            [WEFT, "run", module, "--root-id", root_id, "--port", "0", "-o", "json"],
            env=ENV, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert process.stdout
        json.loads(process.stdout.readline())
        seconds.append(time.perf_counter() - start)
        process.terminate()
        process.wait(30)
    return seconds[1:]


def show(what: str, seconds: list[float], peer: list[float]) -> None:
    """One row: median, minimum, and how many bare interpreters it costs."""
    median = statistics.median(seconds)
    ratio = median / statistics.median(peer)
    print(f"{what:<32} median {median * 1000:8.1f} ms  min {min(seconds) * 1000:8.1f} ms  {ratio:6.1f}x")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
