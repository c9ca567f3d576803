"""``weft test`` on modules made for it: what it prints, reports and gives as exit code."""

import json
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import yaml

from conftest import Weft
from modules.guests import TEXT, answering, calling
from weft.base.paths import Places
from weft.errors import NotFound
from weft.workflows.testing.test import Wishes, run_scenarios

PROJECT = """
[filter]
name = "adder"
language = "cpp"
[config]
default = {a = 1}
"""
SCENARIOS = """
scenarios:
  - name: adds a header
    steps:
      - request: {}
      - response: {}
        expect: {client: {headers: {x: x}}}
  - name: adds another
    steps:
      - request: {}
      - response: {}
        expect: {client: {headers: {y: "1"}}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = tmp_path / "adder"
    (project / "tests").mkdir(parents=True)
    (project / "weft.toml").write_text(PROJECT)
    (project / "tests" / "adder.yaml").write_text(SCENARIOS)
    module = calling(
        ("proxy_add_header_map_value", (2, TEXT, 1, TEXT, 1)),
        during="proxy_on_response_headers",
        returns=0,
        text=b"x",
    )
    (project / "m.wasm").write_bytes(module)
    return project


def test_a_mismatch_is_shown_side_by_side_with_what_happened(weft: Weft, folder: Path) -> None:
    result = weft("test", folder, "--module", folder / "m.wasm")
    assert result.code == 1
    lines = result.out.splitlines()
    assert lines[:7] == [
        "ok    adds a header",
        "FAIL  adds another",
        "      tests/adder.yaml, step 2",
        "        client.headers.y",
        "          expected  1",
        "          got       (nothing)",
        "        what happened",
    ]
    assert lines[7:11] == [
        "          [host->vm] proxy_on_response_headers(2, 1, 1)",
        "          [vm->host] env.proxy_add_header_map_value(2, 1024, 1, 1024, 1)",
        "          [vm<-host] env.proxy_add_header_map_value return: 0",
        "          [host<-vm] proxy_on_response_headers return: 0",
    ]
    assert lines[-1].startswith("1 passed, 1 failed in ")
    assert result.err == "error: 1 of 2 scenarios failed\n"


def test_one_scenario_can_be_chosen_by_its_name(weft: Weft, folder: Path) -> None:
    result = weft("test", folder, "--module", folder / "m.wasm", "-k", "A HEADER")
    assert result.code == 0
    assert result.out.splitlines()[-1].startswith("1 passed, 0 failed, 1 left out in ")


def test_the_trace_is_shown_when_asked_for(weft: Weft, folder: Path) -> None:
    result = weft("test", folder, "--module", folder / "m.wasm", "-k", "a header", "--trace")
    assert "        [host->vm] proxy_on_response_headers(2, 1, 1)" in result.out.splitlines()


def test_the_trace_is_readable_when_asked_for(weft: Weft, folder: Path) -> None:
    words = ("test", "--trace=decoded", folder, "--module", folder / "m.wasm", "-k", "a header")
    shown = weft(*words).out.splitlines()
    assert "        > proxy_on_response_headers(context=2, headers=1, end_of_stream=true)" in shown
    assert "            = ok" in shown
    document = json.loads(weft(*words, "-o", "json").out)
    assert document["scenarios"][0]["trace"][-1] == "< continue"


@pytest.mark.parametrize(
    ("budget", "code", "line"),
    [
        ('module_size = "1 kB"', 0, "ok    budget module_size: 205 B of 1 kB"),
        ('memory_per_vm = "64 KiB"', 0, "ok    budget memory_per_vm: 64.0 KiB of 64 KiB"),
        ('memory_per_vm = "1 KiB"', 1, "FAIL  budget memory_per_vm: 64.0 KiB of 1 KiB"),
    ],
)
def test_a_budget_that_is_exceeded_fails(
    weft: Weft, folder: Path, tmp_path: Path, budget: str, code: int, line: str
) -> None:
    (folder / "weft.toml").write_text(f"{PROJECT}[budgets]\n{budget}\n")
    (folder / "tests" / "adder.yaml").write_text("scenarios: [{name: starts, steps: []}]")
    report = tmp_path / "junit.xml"
    words = ("test", folder, "--module", folder / "m.wasm")
    result = weft(*words, "--junit", report)
    assert (result.code, result.out.splitlines()[1]) == (code, line)
    assert result.err == ("error: 1 of 1 budgets are exceeded\n" if code else "")
    [shown] = json.loads(weft(*words, "-o", "json").out)["budgets"]
    assert shown["kept"] is not bool(code)
    suite = ET.fromstring(report.read_bytes())[0]  # noqa: S314 - our own
    assert (suite.get("tests"), suite.get("failures")) == ("2", str(code))
    assert weft(*words, "-k", "starts").out.count("budget") == 0


def test_a_bare_trace_is_not_given_the_folder_for_its_value(weft: Weft, folder: Path) -> None:
    result = weft("test", "--trace", folder, "--module", folder / "m.wasm", "-k", "a header")
    assert "        [host->vm] proxy_on_response_headers(2, 1, 1)" in result.out.splitlines()


def test_a_trace_of_no_known_form_is_refused(weft: Weft, folder: Path) -> None:
    result = weft("test", folder, "--trace=loud")
    assert result.code == 2
    assert "'loud' is not one of 'plain', 'decoded'" in result.err


def test_scripts_get_json_and_ci_gets_junit(weft: Weft, folder: Path, tmp_path: Path) -> None:
    report = tmp_path / "out" / "junit.xml"
    result = weft("test", folder, "--module", folder / "m.wasm", "-o", "json", "--junit", report)
    document = json.loads(result.out)
    assert (document["filter"], document["passed"], document["failed"]) == ("adder", 1, 1)
    assert document["scenarios"][0] == {
        "name": "adds a header", "file": "tests/adder.yaml", "on": "host", "passed": True, "mismatches": [],
    }  # fmt: skip
    assert document["scenarios"][1]["mismatches"] == [
        {"step": 2, "what": "client.headers.y", "expected": "1", "got": "(nothing)"}
    ]
    suite = ET.fromstring(report.read_bytes())[0]  # noqa: S314 - our own
    assert (suite.get("name"), suite.get("tests"), suite.get("failures")) == ("adder", "2", "1")
    failure = suite[1][0]
    assert failure.get("message") == "client.headers.y: expected 1, got (nothing)"


@pytest.mark.parametrize(
    ("files", "code", "message"),
    [
        ({"tests/adder.yaml": None}, 4, "holds no scenarios (*.yaml)"),
        ({"tests/adder.yaml": "scenarios: [{name: a, stepz: []}]"}, 2, "unknown field `stepz` at a"),
        ({"tests/adder.yaml": "scenarios: []"}, 4, "/tests has no scenario in it\n"),
        ({"tests/adder.yaml": "a: " + "[" * 100_000}, 2, "tests/adder.yaml:1: not valid YAML: nested deeper"),
        ({"tests/adder.yaml": "scenarios: []\nscenarios: []"}, 2, "the key scenarios is there twice"),
        ({"m.wasm": "no module"}, 2, "/m.wasm: header, byte 0 (0x0): not WebAssembly"),
        ({"weft.toml": None}, 2, "holds no filter project"),
    ],
)
def test_what_is_wrong_with_a_project_is_said(
    weft: Weft,
    folder: Path,
    files: dict[str, str | None],
    code: int,
    message: str,
) -> None:
    for name, text in files.items():
        (folder / name).unlink() if text is None else (folder / name).write_text(text)
    result = weft("test", folder, "--module", folder / "m.wasm")
    assert result.code == code
    assert message in result.err


def test_a_project_is_built_again_only_when_its_source_changed(folder: Path, tmp_path: Path) -> None:
    builds: list[Path] = []

    def build(where: Path) -> bytes:
        builds.append(where)
        return answering(on_vm_start=1)

    def run() -> None:
        run_scenarios(folder, places=places, build=build)

    places = Places(tmp_path / "s", tmp_path / "t", tmp_path / "c")
    run()
    run()
    assert builds == [folder]
    (folder / "tests" / "adder.yaml").write_text(SCENARIOS + "\n")
    run()
    assert builds == [folder], "scenarios are no source"
    (folder / "tests" / "test_adder.py").write_text("import weft.testing")
    (folder / "report.xml").write_text(
        '<?xml version="1.0"?>\n<testsuites><testsuite name="adder"/></testsuites>'
    )
    run()
    assert builds == [folder], "nor are tests in Python and reports of tests"
    (folder / "filter.cc").write_text("int x;")
    run()
    assert len(builds) == 2
    (folder / "words.xml").write_text("<words/>")
    run()
    assert len(builds) == 3, "other XML may be"
    for kept in (tmp_path / "c" / "tested").glob("*.wasm"):
        kept.write_bytes(b"damaged")
    run()
    assert len(builds) == 4


def test_a_cache_that_cannot_be_used_costs_a_build_and_no_more(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "tested").write_text("a file where the folder should be")
    places = Places(tmp_path / "s", tmp_path / "t", tmp_path / "c")
    report = run_scenarios(folder, places=places, build=lambda _: answering(on_vm_start=1))
    assert len(report.results) == 2


def test_a_name_that_no_scenario_has_is_not_found(folder: Path, tmp_path: Path) -> None:
    places = Places(tmp_path / "s", tmp_path / "t", tmp_path / "c")
    with pytest.raises(NotFound, match="no scenario's name contains 'nope'"):
        run_scenarios(folder, places=places, build=lambda _: b"", wishes=Wishes(name="nope"))


def test_coverage_names_what_no_scenario_used(weft: Weft, folder: Path) -> None:
    module = calling(
        ("proxy_add_header_map_value", (2, TEXT, 1, TEXT, 1)),
        during="proxy_on_response_headers", returns=0, text=b"x",
        also={"proxy_on_request_body": 0, "proxy_on_configure": 1}, imports_only=["proxy_log"],
    )  # fmt: skip
    (folder / "m.wasm").write_bytes(module)
    result = weft("test", folder, "--module", folder / "m.wasm", "--coverage")
    assert result.out.splitlines()[-4:] == [
        "callbacks: 2 of 3 used",
        "      not used: proxy_on_request_body",
        "host functions: 1 of 2 used",
        "      not used: env.proxy_log",
    ]
    result = weft("test", folder, "--module", folder / "m.wasm", "--coverage", "-o", "json", "-k", "another")
    assert json.loads(result.out)["coverage"]["host_functions"] == {
        "used": ["env.proxy_add_header_map_value"], "unused": ["env.proxy_log"],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--envoy", "1.40"], 2, "--envoy is for --on envoy or --on both"),
        (["--on", "envoy", "--envoy", "/no/envoy"], 3, "--envoy: /no/envoy does not exist"),
        (["-j", "0"], 2, "0 is not in the range x>=1"),
    ],
    ids=["without --on", "not there", "no processor"],
)
def test_what_is_wrong_with_an_option_is_said(
    weft: Weft, folder: Path, words: list[str], code: int, message: str
) -> None:
    result = weft("test", folder, "--module", folder / "m.wasm", *words)
    assert result.code == code
    assert message in result.err


def test_the_schema_accepts_the_scenarios_of_every_example(weft: Weft) -> None:
    schema = json.loads(weft("test", "--schema").out)
    examples = sorted(
        (files("weft.templates") / "files" / "examples").iterdir(), key=lambda entry: entry.name
    )
    checker = jsonschema.Draft202012Validator(schema)
    for example in examples:
        text = (example / "tests" / f"{example.name}.yaml").read_text()
        found = [error.message for error in checker.iter_errors(yaml.safe_load(text))]
        assert found == [], example.name
    for suite in sorted((Path(__file__).parents[2] / "real" / "suite").glob("*.yaml")):
        found = [error.message for error in checker.iter_errors(yaml.safe_load(suite.read_text()))]
        assert found == [], suite.name
    assert list(checker.iter_errors({"scenarios": [{"name": "a", "stepz": []}]})) != []
    assert (
        list(checker.iter_errors({"scenarios": [{"name": "a", "steps": [{"request_metadata": {}}]}]})) != []
    )


SUITE = """
test {
  name: "adds"
  response_headers { result { has_header { key: "x" value: "x" } no_header { key: "y" } } }
}
"""


def test_one_file_is_enough_in_a_project_or_with_a_module(weft: Weft, folder: Path, tmp_path: Path) -> None:
    module = folder / "m.wasm"
    (folder / "tests" / "suite.textpb").write_text(SUITE)
    alone = tmp_path / "elsewhere.textpb"
    alone.write_text(SUITE)
    for file in (folder / "tests" / "suite.textpb", alone):
        result = weft("test", file, "--module", module)
        assert result.code == 0, result.out + result.err
        assert result.out.splitlines()[0] == "ok    adds"
    lonely = weft("test", alone)
    assert lonely.code == 2
    hint = "hint: name what is to be tested with --module"
    assert lonely.err.split("\n\n") == [f"error: {alone} is in no project", f"{hint}\n"]


def test_suites_are_played_with_a_projects_scenarios(weft: Weft, folder: Path) -> None:
    (folder / "tests" / "a.textproto").write_text(SUITE)
    (folder / "tests" / "b.yaml").write_text("env: {config_path: c}\ntest: [{name: in YAML}]\n")
    (folder / "c").write_text("{}")
    result = weft("test", folder, "--module", folder / "m.wasm", "-k", "a", "-o", "json")
    names = {(one["file"], one["name"]): one["passed"] for one in json.loads(result.out)["scenarios"]}
    assert names["tests/a.textproto", "adds"]
    assert names["tests/b.yaml", "in YAML"]
    assert names["tests/adder.yaml", "adds a header"]


def test_a_file_that_a_suite_names_and_nobody_has_is_told_by_line(weft: Weft, folder: Path) -> None:
    (folder / "tests" / "a.textpb").write_text('env {\n  config_path: "nowhere/c"\n}\n')
    result = weft("test", folder, "--module", folder / "m.wasm")
    assert result.code == 2
    assert result.err == "error: tests/a.textpb:2: nowhere/c is neither here nor above\n"
