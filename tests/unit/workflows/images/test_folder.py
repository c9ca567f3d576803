"""Files under names that strangers chose: in the folder, or refused with nothing written anywhere."""

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.errors import WeftError
from weft.workflows.images.folder import EscapeRefused, lay, move_into, unpack


def tree(folder: Path) -> dict[str, str]:
    """Every file's content, and where every link points."""
    return {
        str(path.relative_to(folder)): f"-> {path.readlink()}" if path.is_symlink() else path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def archive(path: Path, *members: tuple[str, bytes, str], mode: str = "w") -> Path:
    """A tar of ``(name, type, content or target)``."""
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, kind, content in members:
            info = tarfile.TarInfo(name)
            info.type = kind
            if kind == tarfile.REGTYPE:
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content.encode()))
            else:
                info.linkname = content
                tar.addfile(info)
    return path


FILE, FOLDER, LINK, HARD = tarfile.REGTYPE, tarfile.DIRTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder to write into, with something precious beside it."""
    (tmp_path / "precious").write_text("mine")
    folder = tmp_path / "folder"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("name", ["filter.wasm", "deep/er/filter.wasm", "a file", "..filter", "…", "./x"])
def test_a_name_below_is_taken(root: Path, tmp_path: Path, name: str) -> None:
    lay(tmp_path / "precious", root, name)
    assert tree(root) == {str(Path(name)): "mine"}


BAD_NAMES = [
    "",
    ".",
    "..",
    "/etc/passwd",
    "../evil",
    "a/../../evil",
    "a/..",
    "//x",
    "a\0b",
    "a\nb",
    "x" * 300,
    "\x1b[31m",
]


@pytest.mark.parametrize("name", BAD_NAMES, ids=[repr(name[:20]) for name in BAD_NAMES])
def test_a_name_that_leads_out_is_refused(root: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(EscapeRefused, match="the artifact names a file"):
        lay(tmp_path / "precious", root, name)
    assert tree(root) == {}


@given(st.text(max_size=60))
def test_no_name_whatever_leads_out(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    base = tmp_path_factory.mktemp("any")
    (base / "precious").write_text("mine")
    (base / "folder").mkdir()
    try:
        place = lay(base / "precious", base / "folder", name)
    except EscapeRefused:
        assert list(base.rglob("*")) == [base / "precious", base / "folder"] or len(tree(base)) == 1
    else:
        assert place.resolve().is_relative_to((base / "folder").resolve())


def test_two_files_of_one_name_are_refused(root: Path, tmp_path: Path) -> None:
    lay(tmp_path / "precious", root, "f")
    with pytest.raises(EscapeRefused) as caught:
        lay(tmp_path / "precious", root, "./f")
    assert str(caught.value) == "two files of the artifact are called './f'"


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:xz"])
def test_an_archive_is_unpacked(root: Path, tmp_path: Path, mode: str) -> None:
    made = archive(
        tmp_path / "a.tar",
        (".", FOLDER, ""),
        ("site", FOLDER, ""),
        ("site/latest", LINK, "v1/index.html"),
        ("site/v1/index.html", FILE, "hello"),
        ("site/v1/up", LINK, "../v1"),
        ("site/circle", LINK, "circle"),
        mode=mode,
    )
    unpack(made, root)
    assert tree(root) == {
        "site/circle": "-> circle",
        "site/latest": "-> v1/index.html",
        "site/v1/index.html": "hello",
        "site/v1/up": "-> ../v1",
    }


def test_only_the_right_to_run_is_kept(root: Path, tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for name, mode in (("tool", 0o4777), ("data", 0o666)):
            info = tarfile.TarInfo(name)
            info.mode = mode
            tar.addfile(info)
    unpack(tmp_path / "a.tar", root)
    assert [oct((root / name).stat().st_mode & 0o7777) for name in ("tool", "data")] == ["0o755", "0o644"]


@pytest.mark.parametrize(
    ("members", "complaint"),
    [
        pytest.param([("../evil", FILE, "x")], "names a file '../evil'", id="above"),
        pytest.param([("/tmp/evil", FILE, "x")], "names a file '/tmp/evil'", id="absolute"),
        pytest.param([("a", LINK, "/etc/passwd")], "link 'a' leads out of the folder", id="absolute link"),
        pytest.param([("a", LINK, "..")], "link 'a' leads out of the folder", id="link up"),
        pytest.param([("d/a", LINK, "../../precious")], "link 'd/a' leads out", id="link beside"),
        pytest.param(
            [("d/up", LINK, ".."), ("out", LINK, "d/up/../precious")],
            "link 'out' leads out of the folder",
            id="link through a link",
        ),
        pytest.param(
            [("a", LINK, "d"), ("d", FOLDER, ""), ("a/x", LINK, "y")],
            "puts the link 'a/x' behind another link",
            id="link behind a link",
        ),
        pytest.param(
            [("a", HARD, "/etc/passwd")], "'a', which is no file, folder or symbolic link", id="hard link"
        ),
        pytest.param(
            [("f", tarfile.FIFOTYPE, "")], "'f', which is no file, folder or symbolic link", id="pipe"
        ),
        pytest.param([("c", tarfile.CHRTYPE, "")], "'c', which is no file", id="device"),
        pytest.param([("f", FILE, "1"), ("f", FILE, "2")], "cannot be unpacked: ", id="twice"),
        pytest.param([("f", FILE, "1"), ("f/g", FILE, "2")], "cannot be unpacked: ", id="file as a folder"),
    ],
)
def test_an_archive_that_reaches_out_is_refused(
    root: Path, tmp_path: Path, members: list[tuple[str, bytes, str]], complaint: str
) -> None:
    with pytest.raises(WeftError) as caught:
        unpack(archive(tmp_path / "a.tar", *members), root)
    assert complaint in str(caught.value)
    assert (tmp_path / "precious").read_text() == "mine"
    assert {path.name for path in tmp_path.iterdir()} == {"a.tar", "folder", "precious"}


def test_files_never_go_through_a_link_of_the_archive(root: Path, tmp_path: Path) -> None:
    made = archive(tmp_path / "a.tar", ("a", LINK, "d"), ("a/f", FILE, "x"), ("d", FOLDER, ""))
    with pytest.raises(WeftError):
        unpack(made, root)
    assert not (root / "d/f").exists()


@pytest.mark.parametrize(
    ("limit", "make"),
    [
        pytest.param(
            "_MAX_UNPACKED_BYTES", lambda path: archive(path, ("f", FILE, "x" * 200), mode="w:gz"), id="bytes"
        ),
        pytest.param(
            "_MAX_ENTRIES",
            lambda path: archive(path, *((f"f{number}", FILE, "") for number in range(101))),
            id="files",
        ),
    ],
)
def test_a_bomb_is_refused(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, make: Callable[[Path], Path]
) -> None:
    monkeypatch.setattr(f"weft.workflows.images.folder.{limit}", 100)
    with pytest.raises(EscapeRefused, match="an archive of the artifact unpacks to more than"):
        unpack(make(tmp_path / "a.tar"), root)


@pytest.mark.parametrize("content", [b"", b"nonsense" * 1000, b"\x1f\x8b" + b"x" * 100])
def test_what_is_no_archive_is_named(root: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.tar").write_bytes(content)
    with pytest.raises(WeftError, match="an archive of the artifact cannot be unpacked: "):
        unpack(tmp_path / "a.tar", root)


class TestMoving:
    """From the fresh folder to the user's."""

    @pytest.fixture
    def prepared(self, tmp_path: Path) -> Path:
        prepared = tmp_path / "prepared"
        (prepared / "sub").mkdir(parents=True)
        (prepared / "f").write_text("new")
        (prepared / "sub/g").write_text("new")
        return prepared

    def test_files_replace_files_and_join_folders(self, root: Path, prepared: Path) -> None:
        (root / "f").write_text("old")
        (root / "sub").mkdir()
        (root / "sub/other").write_text("stays")
        assert move_into(prepared, root) == [Path("f"), Path("sub/g")]
        assert tree(root) == {"f": "new", "sub/g": "new", "sub/other": "stays"}

    def test_a_link_of_the_user_s_is_replaced_not_followed(
        self, root: Path, prepared: Path, tmp_path: Path
    ) -> None:
        (root / "f").symlink_to(tmp_path / "precious")
        move_into(prepared, root)
        assert (tmp_path / "precious").read_text() == "mine"
        assert tree(root)["f"] == "new"

    @pytest.mark.parametrize("obstacle", ["link", "folder"])
    def test_a_way_that_is_blocked_moves_nothing(
        self, root: Path, prepared: Path, tmp_path: Path, obstacle: str
    ) -> None:
        if obstacle == "link":
            (tmp_path / "elsewhere").mkdir()
            (root / "sub").symlink_to(tmp_path / "elsewhere")
        else:
            (root / "sub/g").mkdir(parents=True)
        with pytest.raises(EscapeRefused, match="is in the way, or leads out of"):
            move_into(prepared, root)
        assert "f" not in tree(root)
