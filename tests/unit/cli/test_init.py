"""``weft init``: a new project, named after its folder, or nothing at all."""

from pathlib import Path

import pytest

from conftest import Weft
from weft.project import Project


def project_files(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("language", ["assemblyscript", "cpp", "go", "rust"])
@pytest.mark.parametrize("example", ["add-header", "path-rewrite", "external-auth", "metrics"])
def test_every_template_carries_the_name_of_its_folder(
    weft: Weft, tmp_path: Path, language: str, example: str
) -> None:
    folder = tmp_path / "path_rewrite2"
    result = weft("init", folder, "--language", language, "--example", example)
    assert result.code == 0, result.err
    assert {"weft.toml", "README.md", ".gitignore", "config.schema.json"} <= project_files(folder)
    project = Project.parse((folder / "weft.toml").read_text(), where="weft.toml")
    assert (project.name, project.root_id) == ("path-rewrite-2", "path_rewrite_2")
    assert project.language == language
    text = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"PathRewrite2" in text
    for placeholder in (b"my-filter", b"my_filter", b"MyFilter", b"my-language"):
        assert placeholder not in text


def test_cpp_classes_are_named_after_the_folder(weft: Weft, tmp_path: Path) -> None:
    weft("init", tmp_path / "path_rewrite", "--language", "cpp")
    assert "PathRewriteRootContext" in (tmp_path / "path_rewrite" / "filter.cc").read_text()


def test_a_folder_with_files_is_refused_before_anything_is_asked_or_written(
    weft: Weft, tmp_path: Path
) -> None:
    folder = tmp_path / "used"
    folder.mkdir()
    (folder / "mine.txt").write_text("precious")
    result = weft("init", folder)
    assert result.code == 2
    assert result.err == (
        f"error: {folder} already has files in it; nothing was written\n\n"
        "hint: choose a new folder, or empty this one\n"
    )
    assert project_files(folder) == {"mine.txt"}


def test_tinygo_gives_the_go_project_and_its_notes(weft: Weft, tmp_path: Path) -> None:
    result = weft("init", tmp_path / "f", "--language", "tinygo", "--disable-prompt")
    assert result.code == 0
    assert (tmp_path / "f" / "go.mod").exists()
    assert 'compiler = "tinygo"' in result.err


@pytest.mark.parametrize(
    ("platform", "build"),
    [
        ("istio 1.7.x", {"abi": "0.2.0"}),
        ("istio 1.5", {"abi": "0.1.0"}),
        ("gloo 1.6.x", {}),
        ("istio 1.30", {}),
    ],
)
def test_an_old_platform_chooses_the_abi(
    weft: Weft, tmp_path: Path, platform: str, build: dict[str, str]
) -> None:
    name, version = platform.split()
    flags = ["--language", "cpp", "--platform", name, "--platform-version", version]
    assert weft("init", tmp_path / "f", *flags).code == 0
    assert Project.parse((tmp_path / "f" / "weft.toml").read_text(), where="").build == build


@pytest.mark.parametrize(
    ("argv", "complaint"),
    [
        pytest.param(
            [], "error: --language is missing\n\nhint: one of assemblyscript, cpp, go, rust", id="none"
        ),
        pytest.param(["--language", "perl"], "error: no template for language 'perl'", id="language"),
        pytest.param(["--language", "go", "--example", "x"], "error: no example 'x'", id="example"),
        pytest.param(
            ["--language", "go", "--platform", "linkerd"], "error: unknown platform 'linkerd'", id="platform"
        ),
        pytest.param(
            ["--language", "go", "--platform-version", "1"],
            "error: --platform-version needs --platform",
            id="version alone",
        ),
    ],
)
def test_a_mistake_writes_nothing(weft: Weft, tmp_path: Path, argv: list[str], complaint: str) -> None:
    result = weft("init", tmp_path / "f", *argv)
    assert result.code == 2
    assert result.err.startswith(complaint)
    assert not (tmp_path / "f").exists()


def test_a_name_that_no_class_can_have_is_refused(weft: Weft, tmp_path: Path) -> None:
    result = weft("init", tmp_path / "42", "--language", "go")
    assert (result.code, result.err.splitlines()[0]) == (2, "error: '42' cannot name a filter")


def test_an_sdk_that_cannot_speak_an_old_abi_says_so(weft: Weft, tmp_path: Path) -> None:
    flags = ["--platform", "istio", "--platform-version", "1.5.x", "--disable-prompt"]
    result = weft("init", tmp_path / "f", "--language", "assemblyscript", *flags)
    assert result.code == 0
    assert "the assemblyscript SDK speaks 0.2.1 only; use cpp" in result.err
    assert Project.parse((tmp_path / "f" / "weft.toml").read_text(), where="").build == {}
