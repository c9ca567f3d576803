"""A filter is loaded from a module file or from a built project."""

import json
from pathlib import Path

import pytest

from weft.errors import NotFound, UsageError, WeftError
from weft.project import ConfigSection, Project
from weft.workflows.loading import from_project, load_file


def project(root_id: str = "my_filter", **config: object) -> Project:
    return Project(
        name="my-filter",
        language="cpp",
        root_id=root_id,
        description="",
        license="",
        abi_versions=(),
        config=ConfigSection(**config),  # type: ignore[arg-type]
        build={},
    )


@pytest.mark.parametrize(
    ("file", "name"), [("auth.wasm", "auth"), ("my filter (2).wasm", "my_filter_2_"), ("-.wasm", "filter")]
)
def test_a_module_file_is_named_after_itself(tmp_path: Path, file: str, name: str) -> None:
    path = tmp_path / file
    path.write_bytes(b"\0asm")
    loaded = load_file(path)
    assert (loaded.name, loaded.module, loaded.path, loaded.watch) == (name, b"\0asm", path, (path,))
    assert (loaded.root_id, loaded.config, loaded.schema) == ("", None, None)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotFound) as absent:
        load_file(tmp_path / "no.wasm")
    assert str(absent.value) == f"{tmp_path}/no.wasm: no such file"
    with pytest.raises(WeftError) as folder:
        load_file(tmp_path)
    assert str(folder.value) == f"{tmp_path}: Is a directory"
    monkeypatch.setattr("weft.workflows.loading._MAX_MODULE", 1 << 20)
    (tmp_path / "big.wasm").write_bytes(b"x" * (1 << 20) + b"x")
    with pytest.raises(UsageError) as large:
        load_file(tmp_path / "big.wasm")
    assert str(large.value) == f"{tmp_path}/big.wasm is larger than 1 MB; it cannot be a filter"


def test_a_project_brings_its_config_and_schema(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(json.dumps({"type": "object"}))
    loaded = from_project(tmp_path, project(schema="s.json", default={"a": 1}), b"m")
    assert (loaded.name, loaded.root_id, loaded.config) == ("my_filter", "my_filter", {"a": 1})
    assert (loaded.schema, loaded.watch, loaded.path) == ({"type": "object"}, (tmp_path,), None)
    assert from_project(tmp_path, project(), b"m").schema is None


@pytest.mark.parametrize(
    ("content", "complaint"),
    [(None, ": No such file or directory"), ("{", " is not valid JSON: Expecting property name")],
)
def test_a_schema_that_cannot_be_read_is_told(tmp_path: Path, content: str | None, complaint: str) -> None:
    if content:
        (tmp_path / "s.json").write_text(content)
    with pytest.raises(UsageError) as caught:
        from_project(tmp_path, project(schema="s.json"), b"m")
    assert str(caught.value).startswith(f"{tmp_path}/s.json{complaint}")
