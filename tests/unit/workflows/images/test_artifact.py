"""Files as an artifact, with the names and types that ORAS would give them."""

import json
from pathlib import Path

import pytest

from weft.errors import UsageError
from weft.oci import Descriptor
from weft.workflows.images.artifact import Artifact, TypedFile, read_typed_file

CONFIG_TYPE = "application/vnd.module.wasm.config.v1+json"
LAYER_TYPE = "application/vnd.module.wasm.content.layer.v1+wasm"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "filter.wasm").write_bytes(b"\0asm\1\0\0\0")
    (tmp_path / "runtime-config.json").write_text("{}")
    (tmp_path / "odd:name").write_text("")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub/filter.wasm").write_bytes(b"\0asm\1\0\0\0")
    return tmp_path


@pytest.mark.parametrize(
    ("text", "path", "kind"),
    [
        (f"filter.wasm:{LAYER_TYPE}", "filter.wasm", LAYER_TYPE),
        ("filter.wasm", "filter.wasm", "application/vnd.oci.image.layer.v1.tar"),
        ("odd:name", "odd:name", "application/vnd.oci.image.layer.v1.tar"),
        ("odd:name:a/b", "odd:name", "a/b"),
        ("./sub/filter.wasm:a/b", "sub/filter.wasm", "a/b"),
    ],
)
def test_a_file_and_its_type_are_told_apart(text: str, path: str, kind: str) -> None:
    assert read_typed_file(text) == TypedFile(Path(path), kind)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError) as caught:
        read_typed_file("nope.wasm:application/wasm")
    assert str(caught.value) == "there is no file nope.wasm"


def test_a_title_never_leads_out(here: Path) -> None:
    titles = [
        TypedFile(Path(path), "").title
        for path in ("filter.wasm", "sub/filter.wasm", f"{here}/filter.wasm", "../x/filter.wasm")
    ]
    assert titles == ["filter.wasm", "sub/filter.wasm", "filter.wasm", "filter.wasm"]


def test_the_form_of_the_seed_is_wasme_s_image_with_one_layer() -> None:
    made = Artifact.of(
        [read_typed_file(f"filter.wasm:{LAYER_TYPE}")],
        config=read_typed_file(f"runtime-config.json:{CONFIG_TYPE}"),
    )
    assert json.loads(made.root.raw) == {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": Descriptor.of(CONFIG_TYPE, b"{}").to_json(),
        "layers": [
            Descriptor.of(
                LAYER_TYPE, b"\0asm\1\0\0\0", {"org.opencontainers.image.title": "filter.wasm"}
            ).to_json()
        ],
    }


def test_without_a_config_it_says_what_it_is() -> None:
    made = json.loads(Artifact.of([TypedFile(Path("filter.wasm"), "a/b")]).root.raw)
    assert made["artifactType"] == "application/vnd.unknown.artifact.v1"
    assert made["config"]["mediaType"] == "application/vnd.oci.empty.v1+json"


def test_without_files_there_is_an_empty_layer() -> None:
    made = json.loads(Artifact.of([], artifact_type="a/b", annotations={"k": "v"}).root.raw)
    assert made["layers"] == [made["config"]]
    assert (made["artifactType"], made["annotations"]) == ("a/b", {"k": "v"})


def test_two_files_of_one_name_are_refused(here: Path) -> None:
    with pytest.raises(UsageError) as caught:
        Artifact.of([TypedFile(Path("filter.wasm"), ""), TypedFile(here / "sub/filter.wasm", "")])
    assert str(caught.value) == "two files would be called filter.wasm"


async def test_its_bytes_are_those_of_the_files(here: Path) -> None:
    made = Artifact.of([TypedFile(Path("filter.wasm"), "a/b")])
    layer, config = made.root.layers[0], made.root.config
    assert [chunk async for chunk in made.open_blob(layer)] == [b"\0asm\1\0\0\0"]
    assert [chunk async for chunk in made.open_blob(config)] == [b"{}"]
    assert await made.manifest(made.root.digest) is made.root
    (here / "filter.wasm").unlink()
    with pytest.raises(UsageError, match=r"cannot read filter\.wasm: No such file or directory"):
        await anext(made.open_blob(layer))
