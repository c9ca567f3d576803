"""``weft test --fuzz`` on filters with a planted fault: what it prints, writes and gives as exit code."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from conftest import Weft
from modules.planted import ENDLESS, GROWING, HOLDING, SOUND, trapping_on_body, trapping_on_header

PROJECT = '[filter]\nname = "planted"\nlanguage = "cpp"\n'
OWN = "scenarios: [{name: knows x, steps: [{request: {headers: {x: abc}}}, {response: {}}]}]"
BODY = "proxy_on_request_body failed: Uncaught RuntimeError: unreachable"
LOOP = "proxy_on_response_headers failed: stopped by weft: the code ran too long without an end"
HEAP = "the filter's memory grows by about 1000 bytes each time"
NO_NUMBER = "Invalid value for '--fuzz': 'a' is not a valid integer range."
NEGATIVE = "Invalid value for '--seed': -1 is not in the range x>=0."
SEED = ("--seed", "7")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = tmp_path / "planted"
    (project / "tests").mkdir(parents=True)
    (project / "weft.toml").write_text(PROJECT)
    (project / "tests" / "own.yaml").write_text(OWN)
    (project / "m.wasm").write_bytes(trapping_on_header())
    return project


def written(folder: Path) -> list[Path]:
    return sorted((folder / "tests").glob("fuzz-*.yaml"))


def test_a_planted_fault_is_found_and_made_small(weft: Weft, folder: Path) -> None:
    result = weft("test", folder, "--module", folder / "m.wasm", "--fuzz", "100", *SEED)
    assert result.code == 1
    [path] = written(folder)
    name, module = path.stem, folder / "m.wasm"
    assert path.read_text() == (
        "# Found by weft test --fuzz 100 --seed 7\n"
        "scenarios:\n"
        f"- name: '{name}: trap: proxy_on_request_headers failed: Uncaught RuntimeError: unreachable'\n"
        "  steps:\n"
        "  - request:\n"
        "      headers:\n"
        "        x: aaaaaaaa\n"
    )
    lines = result.out.splitlines()
    assert lines[0] == "trap    proxy_on_request_headers failed: Uncaught RuntimeError: unreachable"
    assert lines[1] == "          Proxy-Wasm plugin in-VM backtrace:"
    assert lines[2].endswith("- too_long")
    assert lines[-3:-1] == [
        f"      {path}: 1 step",
        f"      again: weft test --module {module} {path}",
    ]
    assert lines[-1].startswith("100 scenarios, seed 7: 1 finding in ")
    assert lines[-1].endswith(" s; 1/1 callbacks, 1/1 host functions used")
    assert result.err.splitlines() == [
        "playing 100 scenarios, seed 7; Ctrl-C stops",
        f"{lines[0].replace('    ', ': ')}; looking for the smallest scenario",
        "error: 1 finding",
    ]


def test_what_was_written_fails_by_itself_and_is_not_written_again(weft: Weft, folder: Path) -> None:
    words = ("test", folder, "--module", folder / "m.wasm")
    assert weft(*words, "--fuzz", "60", *SEED).code == 1
    [path] = written(folder)
    assert weft(*words, "-k", path.stem).code == 1
    before = path.stat()
    again = weft(*words, "--fuzz", "60", "--seed", "8", "-o", "json")
    assert again.code == 1
    [finding] = json.loads(again.out)["findings"]
    assert (finding["file"], finding["new"]) == (str(path), False)
    assert written(folder) == [path]
    assert path.stat() == before


def test_what_was_written_passes_when_the_fault_is_gone(weft: Weft, folder: Path) -> None:
    weft("test", folder, "--module", folder / "m.wasm", "--fuzz", "60", *SEED)
    (folder / "m.wasm").write_bytes(SOUND)
    assert weft("test", folder, "--module", folder / "m.wasm").code == 0


def test_nothing_is_found_in_a_sound_filter(weft: Weft, folder: Path) -> None:
    (folder / "m.wasm").write_bytes(SOUND)
    result = weft("test", folder, "--module", folder / "m.wasm", "--fuzz", "50", *SEED)
    assert (result.code, result.err) == (0, "playing 50 scenarios, seed 7; Ctrl-C stops\n")
    [line] = result.out.splitlines()
    assert line.startswith("50 scenarios, seed 7: no findings in ")
    assert written(folder) == []


@pytest.mark.parametrize(
    ("module", "kind", "title", "steps"),
    [
        pytest.param(trapping_on_body(1), "trap", BODY, [{"request": {"body": "a"}}], id="body"),
        pytest.param(ENDLESS, "endless", LOOP, [{"request": {}}, {"response": {}}], id="a loop"),
        pytest.param(HOLDING, "held", "the filter holds a request for good", [{"request": {}}], id="held"),
        pytest.param(GROWING, "leak", HEAP, [{"request": {}}], id="leak"),
    ],
)
def test_every_kind_is_found_and_made_small(
    weft: Weft, folder: Path, module: bytes, kind: str, title: str, steps: list[object]
) -> None:
    (folder / "m.wasm").write_bytes(module)
    (folder / "tests" / "own.yaml").unlink()
    words = ("test", folder, "--module", folder / "m.wasm")
    result = weft(*words, "--fuzz", "12", *SEED, "-o", "json")
    assert result.code == 1, result.err
    found = {finding["kind"]: finding for finding in json.loads(result.out)["findings"]}
    assert found[kind]["title"] == title
    [scenario] = yaml.safe_load(Path(found[kind]["file"]).read_text())["scenarios"]
    assert scenario["steps"] == steps


@pytest.mark.parametrize(
    ("module", "what", "got"),
    [
        pytest.param(GROWING, "leaks", HEAP, id="leak"),
        pytest.param(HOLDING, "held", "request of main", id="held"),
    ],
)
def test_a_scenario_shows_what_only_shows_in_the_end(
    weft: Weft, folder: Path, module: bytes, what: str, got: str
) -> None:
    (folder / "m.wasm").write_bytes(module)
    weft("test", folder, "--module", folder / "m.wasm", "--fuzz", "5", *SEED)
    [path] = written(folder)
    result = weft("test", path, "--module", folder / "m.wasm")
    assert result.code == 1
    assert result.out.splitlines()[1:5] == [
        f"      {path.name}, at the end",
        f"        {what}",
        "          expected  false",
        f"          got       {got}",
    ]


def test_a_leak_of_a_scenario_is_not_written_again(weft: Weft, folder: Path) -> None:
    (folder / "m.wasm").write_bytes(GROWING)
    result = weft("test", folder, "--module", folder / "m.wasm", "--fuzz", "5", *SEED)
    [path] = written(folder)
    result = weft("test", path, "--module", folder / "m.wasm", "--fuzz", "5", "-o", "json")
    [finding] = json.loads(result.out)["findings"]
    assert (finding["kind"], finding["file"], finding["new"]) == ("leak", str(path), False)
    assert written(folder) == [path]


@pytest.mark.parametrize(
    ("module", "expect"),
    [
        pytest.param(GROWING, "leaks: true", id="leak"),
        pytest.param(HOLDING, "held: true", id="held"),
        pytest.param(trapping_on_header(longer_than=0), "crash: {contains: unreachable}", id="trap"),
    ],
)
def test_what_a_scenario_expects_is_no_finding(weft: Weft, folder: Path, module: bytes, expect: str) -> None:
    (folder / "m.wasm").write_bytes(module)
    steps = "steps: [{request: {headers: {x: a}}}]"
    own = f"scenarios: [{{name: so it is, {steps}, expect: {{{expect}}}}}]"
    (folder / "tests" / "own.yaml").write_text(own)
    result = weft("test", folder, "--module", folder / "m.wasm", "--fuzz", "20", *SEED)
    assert result.code == 0, result.out
    assert weft("test", folder, "--module", folder / "m.wasm").code == 0


def test_what_is_found_from_a_file_is_written_beside_it(weft: Weft, tmp_path: Path) -> None:
    """No project is needed."""
    module, own = tmp_path / "m.wasm", tmp_path / "own.yaml"
    module.write_bytes(trapping_on_header())
    own.write_text(OWN)
    result = weft("test", own, "--module", module, "--fuzz", "60", *SEED)
    assert result.code == 1
    [path] = tmp_path.glob("fuzz-*.yaml")
    assert f"      again: weft test --module {module} {path}" in result.out.splitlines()


def test_a_fault_that_a_scenario_shows_already_names_it(weft: Weft, folder: Path) -> None:
    (folder / "tests" / "own.yaml").write_text(OWN.replace("abc", "abcdefgh"))
    module = folder / "m.wasm"
    result = weft("test", folder, "--module", module, "--fuzz", "60", *SEED)
    own = folder / "tests" / "own.yaml"
    assert f"      again: weft test --module {module} {own} -k 'knows x'" in result.out.splitlines()
    assert written(folder) == []


def test_a_project_needs_no_scenarios_of_its_own(weft: Weft, folder: Path) -> None:
    (folder / "tests" / "own.yaml").unlink()
    (folder / "tests").rmdir()
    result = weft("test", folder, "--module", folder / "m.wasm", "--fuzz", "200", *SEED)
    assert result.code == 1
    assert len(written(folder)) == 1


def test_another_seed_is_taken_each_time_and_the_same_finds_the_same(weft: Weft, folder: Path) -> None:
    (folder / "m.wasm").write_bytes(SOUND)
    words = ("test", folder, "--module", folder / "m.wasm", "--fuzz", "3", "-o", "json")
    first, second = (json.loads(weft(*words).out) for _ in range(2))
    assert first["seed"] != second["seed"]
    assert first["played"] == 3
    assert first["coverage"]["callbacks"]["unused"] == []
    assert (first["stopped"], first["findings"], first["more"], first["not_on_envoy"]) == (False, [], 0, 0)


def test_coverage_names_what_was_not_used(weft: Weft, folder: Path) -> None:
    (folder / "m.wasm").write_bytes(SOUND)
    result = weft("test", folder, "--module", folder / "m.wasm", "--fuzz", "20", *SEED, "--coverage")
    assert result.out.splitlines()[:2] == ["callbacks: 2 of 2 used", "host functions: 0 of 0 used"]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        pytest.param(["--fuzz", "0"], "Invalid value for '--fuzz': 0 is not in the range x>=1.", id="none"),
        pytest.param(["--fuzz", "-5"], "Invalid value for '--fuzz': -5 is not in the range x>=1.", id="-5"),
        pytest.param(["--fuzz", "a"], NO_NUMBER, id="a"),
        pytest.param(["--fuzz", "1", "--seed", "-1"], NEGATIVE, id="-1"),
        pytest.param(["--seed", "1"], "--seed is for --fuzz", id="seed alone"),
        pytest.param(["--fuzz", "1", "--watch"], "--fuzz does not go with --watch", id="watch"),
        pytest.param(["--fuzz", "1", "--trace"], "--fuzz does not go with --trace", id="trace"),
        pytest.param(["--fuzz", "1", "--junit", "x.xml"], "--fuzz does not go with --junit", id="junit"),
        pytest.param(["--fuzz", "1", "--envoy", "1"], "--envoy is for --on envoy or --on both", id="envoy"),
    ],
)
def test_a_mistake_is_explained(weft: Weft, folder: Path, words: list[str], complaint: str) -> None:
    result = weft("test", folder, *words)
    assert result.code == 2
    assert result.err.splitlines()[0] == f"error: {complaint}"


def test_a_name_that_no_scenario_has_is_a_mistake(weft: Weft, folder: Path) -> None:
    result = weft("test", folder, "--module", folder / "m.wasm", "--fuzz", "1", "-k", "nobody")
    assert (result.code, result.err.splitlines()[0]) == (4, "error: no scenario's name contains 'nobody'")


# Where tests are started in the background a shell has made them deaf to Ctrl-C.
LISTENING = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
    "from weft.__main__ import main; main()"
)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda one: one.name)
@pytest.mark.parametrize(
    ("module", "heard", "code", "told"),
    [
        pytest.param(trapping_on_header(), "trap: ", 1, "1 finding in ", id="something found"),
        pytest.param(SOUND, "playing ", 130, "no findings in ", id="nothing found"),
    ],
)
def test_it_can_be_stopped_and_tells_what_was_found(
    folder: Path, env: dict[str, str], number: signal.Signals, module: bytes, heard: str, code: int, told: str
) -> None:
    (folder / "m.wasm").write_bytes(module)
    words = ["test", str(folder), "--module", str(folder / "m.wasm"), "--fuzz", "100000000"]
    command = [sys.executable, "-c", LISTENING, *words]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=env, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stderr is not None
        while not (line := process.stderr.readline()).startswith(heard):
            assert line
        process.send_signal(number)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == code
    assert " scenarios (stopped), seed " in out.splitlines()[-1]
    assert told in out.splitlines()[-1]
    assert len(written(folder)) == (module is not SOUND)
