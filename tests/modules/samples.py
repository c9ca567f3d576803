"""Projects of templates, untouched or with other sources, built once a run.

They lie in weft's cache, at the same place in every run, so that compilers find what they knew.
"""

import fcntl
import io
import os
from collections.abc import Mapping
from functools import cache
from pathlib import Path, PurePosixPath

from weft.base.names import Name
from weft.base.paths import Places
from weft.cli import run
from weft.templates import render

SAMPLE = "my_sample"


@cache
def sample(language: str, example: str) -> tuple[Path, Path]:
    """The project's folder, which a test may only read, and the module built from it."""
    return project(SAMPLE, f"{language}-{example}", render(language, example, Name.parse(SAMPLE)))


def project(name: str, kind: str, files: Mapping[PurePosixPath, bytes]) -> tuple[Path, Path]:
    """The same of a project of these files."""
    home = Places.from_env(os.environ).cache / "test-samples" / kind
    folder, module = home / name, home / f"{name}.wasm"
    home.mkdir(parents=True, exist_ok=True)
    with (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        _lay_out(folder, files)
        said = io.StringIO()
        words = ["build", str(folder), "--out", str(module)]
        assert run(words, io.StringIO(), said, said, os.environ) == 0, said.getvalue()
    return folder, module


def _lay_out(folder: Path, files: Mapping[PurePosixPath, bytes]) -> None:
    """Write what changed and nothing else: compilers look at times."""
    wanted = {folder / path: content for path, content in files.items()}
    for path in folder.rglob("*") if folder.exists() else ():
        if path.is_file() and path not in wanted:
            path.unlink()
    for path, content in wanted.items():
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
