"""Files that are whole or absent, whatever happened to the folder."""

from collections.abc import Callable
from pathlib import Path

import pytest

from weft.errors import WeftError
from weft.nodecache import Folder, Mirrored
from weft.oci import Digest

DATA = b"\0asm\1\0\0\0module"
DIGEST = Digest.of(DATA)


def filled(path: Path) -> Folder:
    folder = Folder(path)
    with folder.adding(DIGEST) as file:
        file.write(DATA)
    return folder


def test_what_was_added_is_held_by_the_next_process_too(tmp_path: Path) -> None:
    assert filled(tmp_path).holds(DIGEST)
    assert Folder(tmp_path).holds(DIGEST)


def test_a_failure_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    with pytest.raises(TypeError), folder.adding(DIGEST) as file:
        file.writelines([DATA[:5], None])  # type: ignore[list-item]
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_process_left_is_cleaned_and_strangers_stay(tmp_path: Path) -> None:
    (tmp_path / ".unfinished-abc").write_bytes(DATA[:5])
    (tmp_path / "README").write_text("mine")
    Folder(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["README"]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda path: path.write_bytes(DATA[:5]), id="cut short"),
        pytest.param(lambda path: path.write_bytes(DATA[:-1] + b"!"), id="other bytes of the same length"),
        pytest.param(lambda path: path.unlink(), id="deleted"),
        pytest.param(lambda path: (path.unlink(), path.symlink_to("/etc/hostname")), id="made a link"),
    ],
)
@pytest.mark.parametrize("restarted", [True, False])
def test_a_damaged_file_is_not_held_and_not_left(tmp_path: Path, damage: object, *, restarted: bool) -> None:
    folder = filled(tmp_path)
    assert folder.holds(DIGEST)
    assert callable(damage)
    damage(tmp_path / DIGEST.hex)
    assert not (Folder(tmp_path) if restarted else folder).holds(DIGEST)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / DIGEST.hex).mkdir()
    with pytest.raises(WeftError, match=r"is a folder where a module should be$"):
        Folder(tmp_path).holds(DIGEST)


def test_only_modules_are_counted(tmp_path: Path) -> None:
    folder = filled(tmp_path)
    (tmp_path / "README").write_text("mine")
    (tmp_path / ".node-cache.json").write_text("{}")
    (tmp_path / ("a" * 64)).mkdir()
    assert folder.modules() == {DIGEST: len(DATA)}


class TestCopies:
    """Folders that have what the first has."""

    @staticmethod
    def mirrored(path: Path) -> Mirrored:
        return Mirrored(path / "main", [path / "asm", path / "more"])

    @staticmethod
    def held(path: Path) -> list[bool]:
        return [(path / name / DIGEST.hex).is_file() for name in ("main", "asm", "more")]

    def test_a_module_is_whole_in_all_and_goes_from_all(self, tmp_path: Path) -> None:
        folder = self.mirrored(tmp_path)
        with folder.adding(DIGEST) as file:
            file.write(DATA)
        assert self.held(tmp_path) == [True, True, True]
        copy = tmp_path / "asm" / DIGEST.hex
        assert (copy.read_bytes(), copy.stat().st_mode & 0o777) == (DATA, 0o644)
        folder.remove(DIGEST)
        assert self.held(tmp_path) == [False, False, False]

    @pytest.mark.parametrize(
        "damage",
        [
            pytest.param(lambda path: path.unlink(), id="deleted"),
            pytest.param(lambda path: path.write_bytes(b"other"), id="other bytes"),
        ],
    )
    def test_a_copy_comes_back_from_the_first(self, tmp_path: Path, damage: Callable[[Path], object]) -> None:
        filled(tmp_path / "main")
        folder = self.mirrored(tmp_path)
        assert folder.holds(DIGEST), "copies are made of what was here before"
        damage(tmp_path / "asm" / DIGEST.hex)
        assert folder.holds(DIGEST)
        assert (tmp_path / "asm" / DIGEST.hex).read_bytes() == DATA

    def test_a_copy_alone_is_not_enough(self, tmp_path: Path) -> None:
        filled(tmp_path / "main")
        folder = self.mirrored(tmp_path)
        assert folder.holds(DIGEST)
        (tmp_path / "main" / DIGEST.hex).unlink()
        assert not folder.holds(DIGEST)

    def test_where_no_copy_can_be_made_it_is_not_held(self, tmp_path: Path) -> None:
        filled(tmp_path / "main")
        folder = self.mirrored(tmp_path)
        (tmp_path / "asm").rmdir()
        assert not folder.holds(DIGEST)
        with pytest.raises(FileNotFoundError), folder.adding(DIGEST) as file:
            file.write(DATA)
