"""Every example of every language goes as its scenarios say, on the test host and on Envoy alike.

Projects of ``weft init``, really built; what either shows must be the same to the byte.
"""

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from conftest import Weft
from modules.chains import NEIGHBORS
from modules.guests import HEAP, TEXT, calling
from weft.templates import EXAMPLES, LANGUAGES

EVERY_LANGUAGE = [pytest.param(name, marks=pytest.mark.real(name, "envoy")) for name in LANGUAGES]


@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.parametrize("language", EVERY_LANGUAGE)
def test_the_scenarios_of_an_example_hold(weft: Weft, tmp_path: Path, language: str, example: str) -> None:
    folder = tmp_path / "shop-front"
    made = weft("init", folder, "--language", language, "--example", example)
    assert made.code == 0, made.err
    result = weft("test", folder, "--on", "both")
    assert result.code == 0, result.out + result.err
    assert ", 0 failed in " in result.out
    cases = [line for line in result.out.splitlines() if line.startswith("ok ")]
    assert len([line for line in cases if line.endswith(" (envoy)")]) * 2 == len(cases) > 0


DIFFERING = """
scenarios:
  - name: tells where the client is
    steps: [{request: {}}]
  - name: needs a clock
    setup: {clock: 2026-01-01T00:00:00Z}
    steps: [{request: {}}]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A filter that answers with the client's address, which the test host does not have."""
    module = calling(
        ("proxy_get_property", (TEXT, 14, 64, 68)),
        ("proxy_send_local_response", (200, 0, 0, HEAP, 9, 0, 0, 0)),
        during="proxy_on_request_headers", returns=1, text=b"source\0address",
    )  # fmt: skip
    folder = tmp_path / "teller"
    (folder / "tests").mkdir(parents=True)
    (folder / "weft.toml").write_text('[filter]\nname = "teller"\nlanguage = "cpp"\n')
    (folder / "tests" / "teller.yaml").write_text(DIFFERING)
    (folder / "m.wasm").write_bytes(module)
    return folder


@pytest.mark.real("envoy")
def test_what_only_one_of_them_does_is_caught(weft: Weft, project: Path) -> None:
    for on in ("host", "envoy"):
        alone = weft("test", project, "--module", project / "m.wasm", "--on", on)
        assert alone.code == 0, alone.out
    result = weft("test", project, "--module", project / "m.wasm", "--on", "both")
    assert result.code == 1
    lines = result.out.splitlines()
    assert lines[:6] == [
        "ok    tells where the client is",
        "ok    needs a clock",
        "FAIL  tells where the client is (envoy)",
        "      tests/teller.yaml, step 1",
        "        client.body is not as on the host",
        "          expected  " + "\0" * 9,
    ]
    assert lines[-3:-1] == [
        "-     needs a clock (envoy)",
        "      not on Envoy: setup.clock: Envoy's clock is the machine's",
    ]
    assert lines[-1].startswith("2 passed, 1 failed, 1 not on Envoy in ")


CHAINED = """
setup: {before: [{module: ../first.wasm, name: first, root_id: r, config: {}}], after: [{config: {}}]}
scenarios:
  - name: two of a kind and one of another
    steps: [{request: {}, expect: {client: {body: tea}, local_reply: true}}]
"""


@pytest.mark.real("envoy")
def test_a_chain_is_played_on_both(weft: Weft, project: Path) -> None:
    (project / "tests" / "teller.yaml").write_text(CHAINED)
    (project / "first.wasm").write_bytes(NEIGHBORS["set"])
    (project / "m.wasm").write_bytes(NEIGHBORS["get"])
    result = weft("test", project, "--module", project / "m.wasm", "--on", "both")
    assert result.code == 0, result.out
    (project / "first.wasm").unlink()
    result = weft("test", project, "--module", project / "m.wasm", "--on", "both")
    assert result.code == 4
    assert result.err.startswith(f"error: tests/teller.yaml: {project}/first.wasm: no such file")


@pytest.mark.real("envoy")
def test_scripts_are_told_what_was_not_judged(weft: Weft, project: Path, tmp_path: Path) -> None:
    words = ["--on", "envoy", "-o", "json", "--junit", tmp_path / "junit.xml"]
    result = weft("test", project, "--module", project / "m.wasm", *words)
    document = json.loads(result.out)
    assert (document["passed"], document["failed"], document["not_on_envoy"]) == (1, 0, 1)
    shown = document["scenarios"][1]
    assert (shown["on"], shown["passed"]) == ("envoy", False)
    assert shown["not_on_envoy"] == [
        {"step": 0, "what": "setup.clock", "reason": "Envoy's clock is the machine's"}
    ]
    suite = ET.parse(tmp_path / "junit.xml").getroot()[0]  # noqa: S314 - our own
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("2", "0", "1")
    assert (suite[1].get("name"), suite[1][0].tag) == ("needs a clock (envoy)", "skipped")
