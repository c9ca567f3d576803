"""Files and folders are whole or absent."""

import errno
import stat
from pathlib import Path

import pytest

from weft.base.files import atomic_create, atomic_directory, atomic_write, read_limited


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_a_file_is_written_whole_with_its_folder(tmp_path: Path) -> None:
    atomic_write(tmp_path / "a" / "b", b"new", mode=0o600)
    assert (tmp_path / "a" / "b").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o600
    assert names(tmp_path / "a") == ["b"]


def test_a_failed_write_keeps_the_old_content_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    atomic_write(tmp_path / "b", b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        atomic_write(tmp_path / "b", b"new")
    assert (tmp_path / "b").read_bytes() == b"old"
    assert names(tmp_path) == ["b"]


def test_a_file_is_created_whole_where_nothing_was(tmp_path: Path) -> None:
    atomic_create(tmp_path / "a" / "b", b"new", mode=0o600)
    assert (tmp_path / "a" / "b").read_bytes() == b"new"
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o600
    assert names(tmp_path / "a") == ["b"]


@pytest.mark.parametrize("link", [False, True], ids=["file", "dangling link"])
def test_what_is_there_is_never_created_over(tmp_path: Path, link: bool) -> None:
    if link:
        (tmp_path / "b").symlink_to(tmp_path / "elsewhere")
    else:
        (tmp_path / "b").write_bytes(b"old")
    with pytest.raises(FileExistsError):
        atomic_create(tmp_path / "b", b"new")
    assert names(tmp_path) == ["b"]
    assert link or (tmp_path / "b").read_bytes() == b"old"


def test_a_folder_appears_when_it_is_full(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "project"
    with atomic_directory(target) as folder:
        (folder / "x").write_text("1")
        assert not target.exists()
    assert names(target) == ["x"]
    assert names(target.parent) == ["project"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o755


def test_an_empty_folder_is_filled_and_stays_the_same_folder(tmp_path: Path) -> None:
    target = tmp_path / "project"
    target.mkdir()
    inode = target.stat().st_ino
    with atomic_directory(target) as folder:
        (folder / "sub").mkdir()
        (folder / "sub" / "x").write_text("1")
    assert names(target) == ["sub"]
    assert target.stat().st_ino == inode


def test_a_folder_with_content_is_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "mine").write_text("1")
    with pytest.raises(FileExistsError), atomic_directory(tmp_path / "project") as folder:
        (folder / "x").write_text("1")
    assert names(tmp_path / "project") == ["mine"]
    assert names(tmp_path) == ["project"]


def test_a_failure_leaves_no_folder(tmp_path: Path) -> None:
    def fill() -> None:
        with atomic_directory(tmp_path / "project") as folder:
            (folder / "x").write_text("1")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fill()
    assert names(tmp_path) == []


def test_a_file_over_the_limit_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"12345")
    assert read_limited(tmp_path / "f", 5) == b"12345"
    assert read_limited(tmp_path / "f", 4) is None
