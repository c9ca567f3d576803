"""``weft symbolize``: a log in, the same log with functions out."""

import json
from pathlib import Path

import pytest

from conftest import Weft
from modules.tiny import tiny_filter
from weft.wasm import Kind, read_module

LOG = "[error] Function: f failed\n  0:  {at:#x} - unknown(function index:9)\n  1:  0xffffff - other\n"


@pytest.fixture
def module(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.wasm"
    path.write_bytes(tiny_filter())
    return path


def offset(path: Path, function: str) -> int:
    module = read_module(path.read_bytes())
    return module.bodies[module.exported(Kind.FUNC)[function] - module.imported_functions].offset


def test_a_log_comes_out_with_its_frames_named(weft: Weft, module: Path) -> None:
    log = LOG.format(at=offset(module, "check_config"))
    result = weft("symbolize", module, stdin=log)
    assert result.code == 0
    assert result.out == log.replace("unknown(function index:9)", "check_config")
    assert result.err == ""


def test_the_log_may_be_a_file(weft: Weft, module: Path, tmp_path: Path) -> None:
    log = tmp_path / "envoy.log"
    log.write_bytes(b"\xff\r\n" + LOG.format(at=offset(module, "malloc")).encode())
    result = weft("symbolize", module, log)
    assert result.out.splitlines()[0] == "\ufffd"
    assert result.out.splitlines()[2].endswith(" - malloc")


def test_scripts_get_the_frames_as_json(weft: Weft, module: Path) -> None:
    at = offset(module, "malloc")
    result = weft("symbolize", module, "-", "-o", "json", stdin=LOG.format(at=at))
    function = {"name": "malloc", "file": None, "line": None, "column": None}
    assert json.loads(result.out) == [
        {"depth": 0, "offset": at, "functions": [function]},
        {"depth": 1, "offset": 0xFFFFFF, "functions": []},
    ]


def test_a_module_that_knows_nothing_of_itself_is_said_to(weft: Weft, tmp_path: Path) -> None:
    path = tmp_path / "bare.wasm"
    path.write_bytes(tiny_filter(names=False))
    result = weft("symbolize", path, stdin=LOG.format(at=offset(path, "malloc")))
    assert result.err == f"{path} keeps neither names nor debug information: only exports can be named\n"
    assert " - malloc\n" in result.out


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["missing.wasm"], 4, "error: missing.wasm: no such file\n"),
        ([__file__], 2, "not WebAssembly"),
    ],
)
def test_what_is_no_module_is_said(weft: Weft, words: list[str], code: int, message: str) -> None:
    result = weft("symbolize", *words)
    assert message in result.err
    assert result.code == code
