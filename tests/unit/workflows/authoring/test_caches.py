"""What builds keep, and when it is deleted."""

import fcntl
import os
import time
from pathlib import Path

import pytest

from weft.base.locks import held
from weft.workflows.authoring.caches import LOCK, PrunedCaches, note_use, prune_caches

DAY = 86400


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def cache_of(project: Path, *, noted: bool = True) -> Path:
    """As a build leaves it: 1000 bytes of objects."""
    home = project.parent / "cache/builds" / f"{project.name}-0123456789abcdef"
    (home / "cache/objects").mkdir(parents=True)
    (home / "cache/objects/f.o").write_bytes(bytes(1000))
    (home / LOCK).touch()
    if noted:
        note_use(home, project)
    return home


@pytest.mark.parametrize(
    ("days", "gone", "noted", "deleted"),
    [
        pytest.param(0, False, True, False, id="just built"),
        pytest.param(29, False, True, False, id="built this month"),
        pytest.param(31, False, True, True, id="not built for a month"),
        pytest.param(0, True, True, True, id="the project is gone"),
        pytest.param(0, False, False, False, id="just built by an older weft"),
        pytest.param(31, False, False, True, id="of an older weft"),
    ],
)
def test_a_cache_goes_when_its_project_is_gone_or_was_not_built_for_long(
    project: Path, days: int, gone: bool, noted: bool, deleted: bool
) -> None:
    home = cache_of(project, noted=noted)
    if gone:
        project.rmdir()
    expected = PrunedCaches(1, 1000) if deleted else PrunedCaches(0, 0)
    later = time.time() + days * DAY
    assert prune_caches(project.parent / "cache", dry_run=True, now=lambda: later) == expected
    assert (home / "cache/objects/f.o").is_file()
    assert prune_caches(project.parent / "cache", now=lambda: later) == expected
    assert (home / "cache").is_dir() != deleted
    assert prune_caches(project.parent / "cache", now=lambda: later) == PrunedCaches(0, 0)


def test_a_cache_in_use_stays(project: Path) -> None:
    home = cache_of(project)
    project.rmdir()
    with held(home / LOCK):
        assert prune_caches(project.parent / "cache") == PrunedCaches(0, 0)
    assert prune_caches(project.parent / "cache").count == 1


def test_who_waits_for_a_cache_that_is_pruned_has_it_alone(project: Path) -> None:
    home = cache_of(project)
    project.rmdir()
    with (home / LOCK).open("r+") as waiting:
        prune_caches(project.parent / "cache")
        fcntl.flock(waiting, fcntl.LOCK_EX)
        with pytest.raises(BlockingIOError), held(home / LOCK):
            pass


def test_a_build_makes_it_young_again(project: Path) -> None:
    home = cache_of(project)
    long_ago = time.time() - 100 * DAY
    os.utime(home / LOCK, (long_ago, long_ago))
    note_use(home, project)
    assert prune_caches(project.parent / "cache") == PrunedCaches(0, 0)


def test_what_is_no_cache_stays(tmp_path: Path) -> None:
    (tmp_path / "builds/notes").mkdir(parents=True)
    (tmp_path / "builds/file").touch()
    assert prune_caches(tmp_path, now=lambda: time.time() + 100 * DAY) == PrunedCaches(0, 0)
    assert prune_caches(tmp_path / "nothing") == PrunedCaches(0, 0)
