"""Ctrl-C ends ``weft test`` at once: its exit code, one word, and nothing that is half done."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from modules.planted import SOUND
from worlds.waiting import until

PROJECT = '[filter]\nname = "planted"\nlanguage = "cpp"\n'
# Where tests are started in the background a shell has made them deaf to Ctrl-C.
LISTENING = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "from weft.__main__ import main; main()"
)
PATIENT = "{name: 's${n}', table: [%s], steps: [{request: {}}, {response: {}}], expect: {leaks: false}}"
"""Half a second each."""
QUICK = "{name: 's${n}', table: [%s], steps: [{request: {}}, {response: {}}]}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = tmp_path / "planted"
    (project / "tests").mkdir(parents=True)
    (project / "weft.toml").write_text(PROJECT)
    (project / "m.wasm").write_bytes(SOUND)
    return project


@contextmanager
def run_of(folder: Path, env: dict[str, str], *words: str) -> Iterator[subprocess.Popen[str]]:
    """``weft test``, with a session of its own as in a terminal."""
    command = [
        sys.executable,
        "-c",
        LISTENING,
        "test",
        str(folder),
        "--module",
        str(folder / "m.wasm"),
        *words,
    ]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, env=env, stdout=pipe, stderr=pipe, text=True, start_new_session=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def bare(env: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """An environment whose cache is empty."""
    return env | {"WEFT_HOME": str(tmp_path / "bare")}


def has_begun(process: subprocess.Popen[str], env: dict[str, str]) -> bool:
    """Whether the module is compiled: then the scenarios come."""
    assert process.poll() is None, process.communicate()
    return any(Path(env["WEFT_HOME"]).glob("cache/modules/*.wasmtime-*"))


def rows(count: int) -> str:
    return ", ".join(f"{{n: {number}}}" for number in range(count))


@pytest.mark.parametrize(
    ("scenario", "count", "words"),
    [
        pytest.param(PATIENT, 200, (), id="while one is played thousands of times"),
        pytest.param(PATIENT, 650, ("-j", "2"), id="on several processors"),
        pytest.param(QUICK, 20_000, ("-j", "1"), id="many in one process"),
    ],
)
@pytest.mark.parametrize("everybody", [False, True], ids=["one process", "its whole group"])
def test_a_test_run_ends_at_once(
    folder: Path,
    bare: dict[str, str],
    scenario: str,
    count: int,
    words: tuple[str, ...],
    everybody: bool,
) -> None:
    (folder / "tests" / "own.yaml").write_text(f"scenarios: [{scenario % rows(count)}]")
    report = folder / "report.xml"
    with run_of(folder, bare, "--junit", str(report), *words) as process:
        until(lambda: has_begun(process, bare), "module")
        (os.killpg if everybody else os.kill)(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err.strip()) == (130, "", "stopped")
    assert list(folder.glob("*report*")) == []
    until(lambda: not lives(process.pid), "end of its children")


def lives(group: int) -> bool:
    """Whether any process of the group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_search_for_leaks_ends_at_once(folder: Path, env: dict[str, str]) -> None:
    steps = ", ".join(["{request: {}}", "{response: {}}"] * 100)
    own = (f"{{name: s{number}, plugin: {{config: '{number}'}}, steps: [{steps}]}}" for number in range(3))
    (folder / "tests" / "own.yaml").write_text(f"scenarios: [{', '.join(own)}]")
    with run_of(folder, env, "--fuzz", "1") as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("playing 1 scenarios")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err.strip()) == (130, "stopped")
    assert re.match(r"[01] scenarios \(stopped\), seed \d+: no findings in ", out)
    assert sorted(path.name for path in (folder / "tests").iterdir()) == ["own.yaml"]
