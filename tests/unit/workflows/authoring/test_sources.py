"""What a folder says of the filter in it."""

from pathlib import Path

import pytest

from weft.errors import NotFound, UsageError, WeftError
from weft.image import RuntimeConfig
from weft.project import Project
from weft.workflows.authoring.sources import language_named, read_schema, read_source

TOML = '[filter]\nname = "path-rewrite"\nlanguage = "cpp"\n'
WASME = '{"type": "envoy_proxy", "abiVersions": ["v0.2.1"], "config": {"rootIds": ["my_root"]}, "mine": 1}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "path_rewrite"
    folder.mkdir()
    return folder


def put(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()


def test_wefts_own_project_file_is_read(folder: Path) -> None:
    (folder / "weft.toml").write_text(TOML)
    source = read_source(folder)
    assert (source.folder, source.project.name, source.project.language) == (folder, "path-rewrite", "cpp")
    assert source.runtime is None


def test_wefts_own_file_wins_over_wasmes(folder: Path) -> None:
    (folder / "weft.toml").write_text(TOML)
    (folder / "runtime-config.json").write_text("not even JSON")
    assert read_source(folder).runtime is None


def test_a_wasme_project_is_read_with_its_unknown_keys(folder: Path) -> None:
    (folder / "runtime-config.json").write_text(WASME)
    put(folder, "filter.cc", "BUILD", "WORKSPACE")
    source = read_source(folder)
    project = source.project
    assert (project.name, project.language, project.root_id) == ("path-rewrite", "cpp", "my_root")
    assert project.abi_versions == ("v0.2.1",)
    assert source.runtime == RuntimeConfig(
        abi_versions=("v0.2.1",), root_ids=("my_root",), unknown={"mine": 1}
    )


def test_without_a_root_id_the_folder_gives_it(folder: Path) -> None:
    (folder / "runtime-config.json").write_text("{}")
    put(folder, "filter.cc")
    assert read_source(folder).project.root_id == "path_rewrite"


@pytest.mark.parametrize(
    ("files", "language"),
    [
        pytest.param(["assembly/index.ts", "package.json"], "assemblyscript", id="assemblyscript"),
        pytest.param(["filter.cc", "filter.proto", "BUILD"], "cpp", id="cpp"),
        pytest.param(["main.go", "go.mod"], "go", id="tinygo"),
        pytest.param(["filter.rs", "BUILD"], "rust", id="rust with bazel"),
        pytest.param(["Cargo.toml", "src/lib.rs"], "rust", id="rust with cargo"),
    ],
)
def test_a_wasme_projects_language_shows_in_its_files(folder: Path, files: list[str], language: str) -> None:
    put(folder, "runtime-config.json", *files)
    (folder / "runtime-config.json").write_text(WASME)
    assert read_source(folder).project.language == language


@pytest.mark.parametrize(
    ("files", "seen"),
    [
        pytest.param(["README.md"], "no source file", id="none"),
        pytest.param(["main.go", "filter.cc"], "filter.cc (cpp), main.go (go)", id="two"),
    ],
)
def test_a_language_that_does_not_show_must_be_named(folder: Path, files: list[str], seen: str) -> None:
    put(folder, *files)
    (folder / "runtime-config.json").write_text(WASME)
    with pytest.raises(UsageError) as caught:
        read_source(folder)
    assert str(caught.value) == f"{folder} does not tell its language: it has {seen}"
    assert caught.value.hint == f"name the language: weft build assemblyscript|cpp|go|rust {folder}"
    assert read_source(folder, "rust").project.language == "rust"


def test_the_command_line_must_agree_with_the_project(folder: Path) -> None:
    (folder / "weft.toml").write_text(TOML)
    assert read_source(folder, "cpp").project.language == "cpp"
    with pytest.raises(UsageError) as caught:
        read_source(folder, "rust")
    assert str(caught.value) == (f"{folder}/weft.toml says the language is cpp, the command line says rust")


@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        pytest.param(None, "", "{folder} holds no filter project: neither weft.toml nor runtime-config.json",
                     id="nothing"),
        pytest.param("weft.toml", "[filter", "{folder}/weft.toml: ", id="broken toml"),
        pytest.param("runtime-config.json", "{", "{folder}/runtime-config.json", id="broken json"),
        pytest.param("weft.toml", "#" * 2**21, "{folder}/weft.toml is larger than 1048576 bytes", id="huge"),
    ],
)  # fmt: skip
def test_a_folder_without_a_sound_project_is_refused(
    folder: Path, name: str | None, text: str, complaint: str
) -> None:
    if name:
        (folder / name).write_text(text)
    with pytest.raises(WeftError) as caught:
        read_source(folder)
    assert str(caught.value).startswith(complaint.format(folder=folder))


def test_a_folder_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        read_source(tmp_path / "nowhere")
    assert str(caught.value) == f"{tmp_path}/nowhere: no such file or folder"


@pytest.mark.parametrize(
    ("word", "language"), [("cpp", "cpp"), ("tinygo", "go"), ("go", "go"), (".", None), ("C++", None)]
)
def test_tinygo_is_go(word: str, language: str | None) -> None:
    assert language_named(word) == language


def _naming_a_schema(folder: Path, name: str) -> Project:
    text = f'[filter]\nname = "f"\nlanguage = "cpp"\n[config]\nschema = "{name}"\n'
    (folder / "weft.toml").write_text(text)
    return read_source(folder).project


def test_the_schema_that_a_project_names_is_read(folder: Path) -> None:
    (folder / "s.json").write_text('{"type": "object"}')
    assert read_schema(folder, _naming_a_schema(folder, "s.json")) == {"type": "object"}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (None, ": No such file or directory"),
        ("// no JSON", " is not valid JSON: Expecting value: line 1 column 1 (char 0)"),
        ("[" * 100_000, " is not valid JSON: "),
        (" " * 2**21, " is larger than 1048576 bytes"),
    ],
    ids=["missing", "no JSON", "deep", "huge"],
)
def test_a_schema_that_cannot_be_read_is_no_schema_that_allows_all(
    folder: Path, text: str | None, complaint: str
) -> None:
    if text is not None:
        (folder / "s.json").write_text(text)
    with pytest.raises(UsageError) as caught:
        read_schema(folder, _naming_a_schema(folder, "s.json"))
    assert str(caught.value).startswith(f"{folder}/s.json{complaint}")
    assert caught.value.hint == "[config] schema in weft.toml names it"
