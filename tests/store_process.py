"""What a process of its own does to a store, for tests of several at once and of kill -9.

``python store_process.py put ROOT NAME COUNT`` puts images and says each name once it is acknowledged.
``python store_process.py prune ROOT COUNT`` prunes again and again.
``python store_process.py crash ROOT`` makes stores ROOT/1, ROOT/2, ... and in each kills a process that
replaces an image, at its first, second, ... touch of the file system, until one lives to the end.
"""

import os
import signal
import sys
from itertools import count
from pathlib import Path

from modules.sample_images import module, sample
from weft.image import Image
from weft.oci import Reference
from weft.store import Store, StoreError

__all__ = ["NAME", "NEW", "OLD", "numbered"]

NAME = Reference.parse("hub.io/team/filter:v1")
OLD = sample(module(70_000, b"o"))
NEW = sample(module(90_000, b"n"))

_TOUCHES = {"open", "fcntl.flock", "os.chmod", "os.mkdir", "os.remove", "os.rename", "os.scandir"}


def numbered(name: str, number: int) -> tuple[Reference, Image]:
    """Image ``number`` of the process ``name``; every fifth has content that another process has, too."""
    content = module(2000 + number, b"s" if number % 5 == 0 else name.encode()[:1])
    return Reference.parse(f"hub.io/{name}/f{number}:v1"), sample(content)


def put(root: Path, name: str, amount: int) -> None:
    store = Store(root)
    for number in range(amount):
        reference, image = numbered(name, number)
        store.put(reference, image)
        _say(reference)


def prune(root: Path, amount: int) -> None:
    done = 0
    for _ in range(amount):
        try:
            Store(root).prune()
            done += 1
        except StoreError as error:
            if "is busy" not in str(error):
                raise
    _say(done)


def crash(root: Path) -> None:
    for number in count(1):
        store = Store(root / str(number))
        if number % 2:
            store.put(NAME, OLD)  # every second time the store itself is new
        child = os.fork()
        if child == 0:
            _die_at(number)
            store.put(NAME, NEW)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            _say(number, os.WEXITSTATUS(status))
            return


def _say(*words: object) -> None:
    sys.stdout.write(" ".join(map(str, words)) + "\n")
    sys.stdout.flush()


def _die_at(touch: int) -> None:
    """Kill this process with the signal nobody can catch, just before its file-system touch ``touch``."""
    left = touch

    def watch(event: str, _arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event in _TOUCHES:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(watch)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["put", root, name, amount]:
            put(Path(root), name, int(amount))
        case ["prune", root, amount]:
            prune(Path(root), int(amount))
        case ["crash", root]:
            crash(Path(root))
