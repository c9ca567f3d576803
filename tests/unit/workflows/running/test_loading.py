"""A filter is loaded from a module file or from a built project."""

import json
from pathlib import Path

import pytest

from weft.errors import NotFound, UsageError
from weft.image import RuntimeConfig, pack
from weft.oci import Reference
from weft.project import ConfigSection, Project
from weft.store import Store
from weft.workflows.running.loading import Loaded, Loader, from_project, load_file


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
    assert (loaded.name, loaded.module, loaded.path) == (name, b"\0asm", path)
    assert (loaded.root_id, loaded.config, loaded.schema) == ("", None, None)


async def refuse(folder: Path) -> Loaded:
    raise AssertionError(f"{folder} is not to be built")


async def test_what_exists_or_ends_in_wasm_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "module").write_bytes(b"\0asm")
    loader = Loader(store=tmp_path / "store", build=refuse)
    assert (await loader.load(str(tmp_path / "module"))).module == b"\0asm"
    assert loader.watched(str(tmp_path / "module")) == tmp_path / "module"
    with pytest.raises(NotFound) as caught:
        await loader.load("no.wasm")
    assert str(caught.value) == "no.wasm: no such file"


async def test_a_folder_is_built(tmp_path: Path) -> None:
    async def build(folder: Path) -> Loaded:
        return Loaded(name=folder.name, module=b"built")

    loader = Loader(store=tmp_path / "store", build=build)
    assert await loader.load(str(tmp_path)) == Loaded(name=tmp_path.name, module=b"built")
    assert loader.watched(str(tmp_path)) == tmp_path


async def test_the_rest_is_an_image_of_the_store(tmp_path: Path) -> None:
    runtime = RuntimeConfig(root_ids=("auth_root", "other"))
    image = pack(b"\0asm\1\0\0\0", runtime)
    Store(tmp_path).put(Reference.parse("localhost/team/auth.filter:v1"), image)
    loader = Loader(store=tmp_path, build=refuse)
    loaded = await loader.load("localhost/team/auth.filter:v1")
    assert (loaded.name, loaded.root_id, loaded.module) == ("auth.filter", "auth_root", b"\0asm\1\0\0\0")
    assert loader.watched("localhost/team/auth.filter:v1") == tmp_path / "index.json"
    assert (tmp_path / "index.json").exists()
    with pytest.raises(NotFound):
        await loader.load("localhost/team/auth.filter:v2")


def test_a_project_brings_its_config_and_schema(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text(json.dumps({"type": "object"}))
    loaded = from_project(tmp_path, project(schema="s.json", default={"a": 1}), b"m")
    assert (loaded.name, loaded.root_id, loaded.config) == ("my_filter", "my_filter", {"a": 1})
    assert (loaded.schema, loaded.path) == ({"type": "object"}, None)
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
