"""Several processes at once, and processes that die: the store stays whole and keeps what it acknowledged."""

import subprocess
import sys
from pathlib import Path

import pytest

import store_process
from store_process import NAME, NEW, OLD, numbered
from weft.store import Store
from worlds.layout_reader import read_layout

SECONDS = 120


def start(*words: str | Path) -> subprocess.Popen[str]:
    script = Path(store_process.__file__)
    return subprocess.Popen(
        [sys.executable, str(script), *map(str, words)],
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(script.parent)},
    )


def finish(process: subprocess.Popen[str]) -> str:
    out, _ = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    return out


def test_processes_that_write_at_once_lose_nothing_to_each_other(tmp_path: Path) -> None:
    writers = {name: start("put", tmp_path / "store", name, "20") for name in ("ann", "bob", "cy")}
    acknowledged = {line for writer in writers.values() for line in finish(writer).split()}
    expected = dict(numbered(name, number) for name in writers for number in range(20))
    assert acknowledged == {str(reference) for reference in expected}
    assert read_layout(tmp_path / "store") == {
        str(reference): str(image.digest) for reference, image in expected.items()
    }
    store = Store(tmp_path / "store")
    assert all(store.get(reference) == image for reference, image in expected.items())


def test_a_pruner_among_writers_takes_nothing_of_theirs(tmp_path: Path) -> None:
    root = tmp_path / "store"
    store = Store(root)
    reference, image = numbered("old", 0)
    store.put(reference, image)
    store.remove(reference)  # what the writers will put is garbage before they do
    writers = [start("put", root, name, "25") for name in ("old", "ann")]
    pruner = start("prune", root, "40")
    for writer in writers:
        finish(writer)
    assert int(finish(pruner)) > 0
    assert len(read_layout(root)) == 50
    store.prune()
    for name in ("old", "ann"):
        for number in range(25):
            reference, image = numbered(name, number)
            assert store.get(reference) == image


def test_a_process_killed_at_any_step_leaves_a_valid_store(tmp_path: Path) -> None:
    steps, code = finish(start("crash", tmp_path)).split()
    assert code == "0"
    assert int(steps) > 20, "the child was killed at every touch of the file system"
    for number in range(1, int(steps)):
        store = Store(tmp_path / str(number))
        before = {str(NAME): str(OLD.digest)} if number % 2 else {}
        named = {entry.name: str(entry.digest) for entry in store.entries() if entry.problem is None}
        assert named in (before, {str(NAME): str(NEW.digest)}), f"killed at step {number}"
        if named:
            assert store.get(NAME) in (OLD, NEW)
        store.prune()
        assert read_layout(store.root) == named
        assert not list((store.root / ".weft" / "arriving").iterdir())
        store.put(NAME, NEW)
        assert store.get(NAME) == NEW
        assert read_layout(store.root) == {str(NAME): str(NEW.digest)}


def test_a_killed_writer_frees_its_locks(tmp_path: Path) -> None:
    root = tmp_path / "store"
    writer = start("put", root, "ann", "100000")
    assert writer.stdout is not None
    acknowledged = [writer.stdout.readline().strip() for _ in range(5)]
    writer.kill()
    rest, _ = writer.communicate(timeout=SECONDS)
    acknowledged += [line for line in rest.split() if line.endswith(":v1")]
    store = Store(root)
    store.prune()
    assert set(acknowledged) <= set(read_layout(root))
    reference, image = numbered("bob", 1)
    store.put(reference, image)
    assert store.get(reference) == image


@pytest.mark.parametrize("name", ["ann", "bob"])
def test_numbered_images_differ_between_processes_but_for_the_shared_ones(name: str) -> None:
    mine, others = ({numbered(who, number)[1].digest for number in range(10)} for who in (name, "zoe"))
    assert len(mine & others) == 2
