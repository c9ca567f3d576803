"""`weft test --watch` as a process: it runs again after a save, survives mistakes, and ends when told."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from modules.guests import TEXT, answering, calling
from worlds.liveness import PATIENCE

WAITS = "waiting for changes; Ctrl-C stops"
LOGGING = calling(("proxy_log", (2, TEXT, 1)), during="proxy_on_request_headers", returns=0, text=b"a")
SILENT = answering(on_request_headers=0)


class Watching:
    """The process, and all that it wrote."""

    def __init__(self, process: subprocess.Popen[bytes], out: Path, err: Path) -> None:
        self.process = process
        self._out, self._err = out, err

    @property
    def out(self) -> list[str]:
        return [line for line in self._out.read_text().splitlines() if " passed, " not in line]

    @property
    def err(self) -> list[str]:
        return self._err.read_text().splitlines()

    def until(self, happened: Callable[[], bool]) -> None:
        """Wait for it, within bounds."""
        deadline = time.monotonic() + PATIENCE
        while not happened():
            assert time.monotonic() < deadline, (self.out, self.err)
            assert self.process.poll() is None, (self.out, self.err)
            time.sleep(0.02)

    def has_run(self, times: int) -> None:
        """Wait until it did, and waits again."""
        self.until(lambda: self.err.count(WAITS) == times)

    def told(self, number: signal.Signals) -> int:
        """Its exit code, when all its processes were told, as a terminal does."""
        os.killpg(self.process.pid, number)
        return self.process.wait(PATIENCE)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    (folder / "tests").mkdir(parents=True)
    (folder / "weft.toml").write_text('[filter]\nname = "shop"\nlanguage = "cpp"\n')
    save(folder / "tests" / "shop.yaml", scenario("one"))
    save(folder / "shop.wasm", LOGGING)
    return folder


def scenario(name: str, expect: str = "logs: [a]") -> bytes:
    return f"scenarios: [{{name: {name}, steps: [{{request: {{}}, expect: {{{expect}}}}}]}}]".encode()


def save(path: Path, content: bytes) -> None:
    """As editors and compilers save: a whole new file over the old one."""
    new = path.with_name(f".{path.name}.swp")
    new.write_bytes(content)
    new.rename(path)


@contextmanager
def watching(project: Path, env: dict[str, str]) -> Iterator[Watching]:
    """Start it and wait for the first run; it is gone when the block ends."""
    out, err = project.parent / "out", project.parent / "err"
    command = [sys.executable, "-m", "weft", "test", str(project), "--watch"]
    command += ["--module", str(project / "shop.wasm"), "--junit", str(project / "report.xml")]
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(command, env=env, stdout=stdout, stderr=stderr, start_new_session=True)
    run = Watching(process, out, err)
    try:
        run.has_run(1)
        yield run
    finally:
        process.kill()
        process.wait(PATIENCE)


def test_it_runs_again_when_a_scenario_or_the_module_was_saved(project: Path, env: dict[str, str]) -> None:
    with watching(project, env) as run:
        assert run.out == ["ok    one"]
        save(project / "tests" / "shop.yaml", scenario("two"))
        run.has_run(2)
        save(project / "shop.wasm", SILENT)
        run.has_run(3)
        assert run.out[:2] == ["ok    one", "ok    two"]
        assert run.out[2] == "FAIL  two"
        assert run.err[-2:] == ["error: 1 of 1 scenarios failed", WAITS]
        assert 'tests="1" failures="1"' in (project / "report.xml").read_text()
        assert run.told(signal.SIGINT) == 0
        assert run.err.count(WAITS) == 3


def test_a_mistake_is_told_and_the_next_save_mends_it(project: Path, env: dict[str, str]) -> None:
    with watching(project, env) as run:
        save(project / "tests" / "shop.yaml", scenario("two", "lags: []"))
        run.has_run(2)
        assert [line for line in run.err if "`lags`" in line]
        save(project / "shop.wasm", b"no module")
        run.has_run(3)
        save(project / "shop.wasm", LOGGING)
        save(project / "tests" / "shop.yaml", scenario("three"))
        run.until(lambda: run.out[-1] == "ok    three")
        assert run.told(signal.SIGTERM) == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda one: one.name)
def test_however_it_is_told_to_stop_that_is_an_ordinary_end(
    project: Path, env: dict[str, str], number: signal.Signals
) -> None:
    with watching(project, env) as run:
        assert run.told(number) == 0
        assert run.err == [WAITS]
