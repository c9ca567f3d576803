"""A module is found by its file, or by whoever knows images."""

from pathlib import Path

import pytest

from modules.wasm_encoder import proxy_module
from weft.errors import NotFound, UsageError, WeftError
from weft.wasm import ModuleInvalid
from weft.workflows.authoring import modules
from weft.workflows.authoring.modules import load_module, load_module_bytes

IMAGES = {"hub/team/filter:v1": b"of the image"}


def resolve(reference: str) -> bytes:
    if reference not in IMAGES:
        raise NotFound(f"no image {reference}")
    return IMAGES[reference]


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "filter.wasm"
    file.write_bytes(proxy_module())
    loaded = load_module(str(file))
    assert (loaded.what, loaded.data, loaded.module.size) == (str(file), proxy_module(), len(proxy_module()))


def test_a_file_of_any_name_is_read(tmp_path: Path) -> None:
    file = tmp_path / "plugin"
    file.write_bytes(b"bytes")
    assert load_module_bytes(str(file), resolve) == b"bytes"


def test_what_is_no_file_is_an_image() -> None:
    assert load_module_bytes("hub/team/filter:v1", resolve) == b"of the image"


def test_what_is_neither_is_not_found() -> None:
    with pytest.raises(NotFound, match="no image hub/other"):
        load_module_bytes("hub/other", resolve)


@pytest.mark.parametrize("what", ["gone.wasm", "hub/team/gone.wasm"])
def test_a_name_that_ends_in_wasm_is_a_file_always(what: str) -> None:
    with pytest.raises(NotFound) as caught:
        load_module_bytes(what, resolve)
    assert str(caught.value) == f"{what}: no such file"


def test_where_nobody_knows_images_there_are_only_files() -> None:
    with pytest.raises(NotFound) as caught:
        load_module_bytes("hub/team/filter:v1")
    assert (str(caught.value), caught.value.hint) == (
        "hub/team/filter:v1: no such file",
        "name a file that ends in .wasm",
    )


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        load_module_bytes(str(tmp_path))
    assert str(caught.value) == f"{tmp_path} is a folder"


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    loop = tmp_path / "a.wasm"
    loop.symlink_to(loop)
    with pytest.raises(WeftError, match="symbolic links"):
        load_module_bytes(str(loop))


def test_a_file_beyond_the_limit_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(modules, "MAX_MODULE_BYTES", 10)
    file = tmp_path / "a.wasm"
    file.write_bytes(bytes(11))
    with pytest.raises(UsageError) as caught:
        load_module_bytes(str(file))
    assert str(caught.value) == f"{file} is larger than the 10 bytes a module may have"


def test_an_invalid_module_is_called_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "a.wasm"
    file.write_bytes(b"")
    with pytest.raises(ModuleInvalid) as caught:
        load_module(str(file))
    assert str(caught.value) == f"{file}: header, byte 0 (0x0): empty"
