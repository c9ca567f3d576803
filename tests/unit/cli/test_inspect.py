"""``weft inspect``: a page for people, a document for programs."""

import json
from hashlib import sha256
from pathlib import Path

import pytest

from conftest import Weft
from modules.wasm_encoder import custom, limits, name_section, producers, proxy_module, target_features

LOG = ("env", "proxy_log", "i32 i32 i32 -> i32")
WRITE = ("wasi_snapshot_preview1", "fd_write", "i32 i32 i32 i32 -> i32")
TAIL = (
    name_section({0: "log", 2: "marker"}, module_name="add-header")
    + producers({"language": [("C11", "")], "processed-by": [("clang", "19.1.7")]})
    + target_features("+bulk-memory", "+simd128")
)
FILTER = proxy_module(
    imports=[LOG, WRITE],
    exports={"_initialize": "void -> void", "proxy_on_configure": "i32 i32 -> i32"},
    memory=limits(17, 16384),
    tail=TAIL,
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "filter.wasm"
    path.write_bytes(FILTER)
    return path


def test_people_see_what_matters(weft: Weft, file: Path) -> None:
    result = weft("inspect", file)
    assert (result.code, result.err) == (0, "")
    assert result.out == (
        "module        add-header\n"
        "size          341 B (export 80 B, producers 53 B, import 51 B)\n"
        f"digest        sha256:{sha256(FILTER).hexdigest()}\n"
        "abi           0.2.1\n"
        "entry point   _initialize\n"
        "allocator     malloc\n"
        "memory        1.0625 MiB at the start, at most 1024 MiB\n"
        "callbacks     proxy_on_configure\n"
        "imports       env: proxy_log\n"
        "              wasi_snapshot_preview1: fd_write\n"
        "functions     4 and 2 imported, 2 named\n"
        "producers     C11, clang 19.1.7\n"
        "features      +bulk-memory +simd128\n"
    )


def test_programs_get_everything(weft: Weft, file: Path) -> None:
    document = json.loads(weft("inspect", file, "-o", "json").out)
    assert {key: document[key] for key in ("what", "size", "name", "functions", "memories", "notes")} == {
        "what": str(file),
        "size": len(FILTER),
        "name": "add-header",
        "functions": {"imported": 2, "defined": 4, "named": 2},
        "memories": [{"minimum": 17, "maximum": 16384, "shared": False, "memory64": False}],
        "notes": {},
    }
    assert document["proxy_wasm"] == {
        "abi": "0.2.1",
        "abi_version": "0.2.1",
        "abi_markers": ["0.2.1"],
        "entry_point": "_initialize",
        "allocators": ["malloc"],
        "wasi": ["wasi_snapshot_preview1"],
        "host_functions": {"env": ["proxy_log"], "wasi_snapshot_preview1": ["fd_write"]},
        "callbacks": ["proxy_on_configure"],
    }
    assert document["imports"][0] == {
        "module": "env",
        "name": "proxy_log",
        "kind": "func",
        "type": "i32 i32 i32 -> i32",
    }
    assert document["exports"][-1] == {"name": "memory", "kind": "memory", "type": "17 to 16384 pages"}
    assert document["sections"][0] == {"name": "type", "offset": 10, "size": 30, "custom": False}
    assert document["producers"]["processed-by"] == [{"name": "clang", "version": "19.1.7"}]


def test_yaml_says_the_same(weft: Weft, file: Path) -> None:
    import yaml

    as_yaml = yaml.safe_load(weft("inspect", file, "-o", "yaml").out)
    assert as_yaml == json.loads(weft("inspect", file, "-o", "json").out)


def test_long_lists_are_wrapped(weft: Weft, tmp_path: Path) -> None:
    file = tmp_path / "many.wasm"
    file.write_bytes(
        proxy_module(imports=[("env", f"a_function_of_the_host_{i}", "i32 -> i32") for i in range(9)])
    )
    lines = weft("inspect", file).out.splitlines()
    assert max(map(len, lines)) <= 100
    assert "              a_function_of_the_host_3 a_function_of_the_host_4 a_function_of_the_host_5" in lines


@pytest.mark.parametrize(
    ("padding", "shown"), [(850, "951 B"), (9_900, "10.0 kB"), (1_234_500, "1.2 MB")], ids=["B", "kB", "MB"]
)
def test_sizes_are_counted_as_wasme_counts_them(weft: Weft, tmp_path: Path, padding: int, shown: str) -> None:
    file = tmp_path / "big.wasm"
    file.write_bytes(proxy_module(tail=custom("padding", bytes(padding))))
    assert weft("inspect", file).out.splitlines()[1].startswith(f"size          {shown} (padding ")


def test_what_is_not_a_filter_is_shown_too(weft: Weft, tmp_path: Path) -> None:
    file = tmp_path / "plain.wasm"
    file.write_bytes(b"\0asm\1\0\0\0" + custom("producers", b"\xff"))
    out = weft("inspect", file).out
    assert (
        "abi           none (not a filter)\nentry point   none\nallocator     none\nmemory        none\n"
        in out
    )
    assert "note          custom section 'producers' cannot be read: byte 21 (0x15): ends too early\n" in out


@pytest.mark.parametrize("command", ["inspect", "check"])
@pytest.mark.parametrize(
    ("data", "code", "said"),
    [
        pytest.param(None, 4, "error: {}: no such file\n", id="missing"),
        pytest.param(
            b"hello",
            2,
            "error: {}: header, byte 0 (0x0): not WebAssembly, which begins with \\0asm\n",
            id="text",
        ),
        pytest.param(
            FILTER[:-1],
            2,
            "error: {}: sections, byte 301 (0x12d): section of 39 bytes, but only 38 are left\n",
            id="cut",
        ),
    ],
)
def test_what_is_no_module_is_an_error(
    weft: Weft, tmp_path: Path, command: str, data: bytes | None, code: int, said: str
) -> None:
    file = tmp_path / "a.wasm"
    if data is not None:
        file.write_bytes(data)
    result = weft(command, file)
    assert (result.code, result.out, result.err) == (code, "", said.format(file))
