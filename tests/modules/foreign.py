"""Filters made with the SDKs of others, by the commands that those SDKs name and not by weft's builders.

What was built, and what npm fetched, is kept in weft's cache under the digest of the sources.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from parts import toolbox
from weft.base.files import atomic_write
from weft.base.paths import Places

__all__ = ["FOREIGN", "foreign"]

FOREIGN = Path(__file__).parents[1] / "real" / "foreign"
_SECONDS = 300
_TARGETS = ("wasm32-wasip1", "wasm32-unknown-unknown")


def foreign(name: str) -> Path:
    """The module of a folder in ``FOREIGN``."""
    source = FOREIGN / name
    home = Places.from_env(os.environ).cache / "test-foreign" / name
    home.mkdir(parents=True, exist_ok=True)
    module = home / f"{_digest(source)}.wasm"
    with (home / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not module.is_file():
            work = home / "work"
            shutil.copytree(source, work, dirs_exist_ok=True)
            atomic_write(module, _BUILDERS[name](work).read_bytes())
    return module


def _digest(source: Path) -> str:
    files = sorted(path for path in source.rglob("*") if path.is_file())
    told = b"".join(str(path.relative_to(source)).encode() + path.read_bytes() for path in files)
    return hashlib.sha256(told).hexdigest()[:16]


def _run(work: Path, *command: str | Path, **env: str) -> None:
    done = subprocess.run(
        command, cwd=work, env={**os.environ, **env}, capture_output=True, text=True, timeout=_SECONDS,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def _rust(work: Path) -> Path:
    cargo = toolbox().require(("rust",))["rust"]
    path = f"{cargo.parent}{os.pathsep}{os.environ['PATH']}"
    answer = subprocess.check_output([cargo.with_name("rustc"), "--print", "sysroot"], text=True, timeout=60)
    libraries = Path(answer.strip()) / "lib" / "rustlib"
    target = next(one for one in _TARGETS if any((libraries / one / "lib").glob("libstd-*.rlib")))
    _run(work, cargo, "build", "--quiet", "--release", "--locked", "--target", target, PATH=path)
    return work / "target" / target / "release" / "foreign.wasm"


def _go(work: Path) -> Path:
    go = toolbox().require(("go",))["go"]
    platform = {"GOOS": "wasip1", "GOARCH": "wasm", "GOFLAGS": "", "GOTOOLCHAIN": "local"}
    _run(work, go, "build", "-buildmode=c-shared", "-o", "filter.wasm", ".", **platform)
    return work / "filter.wasm"


def _npm(work: Path, compiler: str, *options: str) -> Path:
    _run(work, "npm", "ci", "--silent", "--no-audit", "--no-fund", "--ignore-scripts")
    words = ("assembly/index.ts", "--use", "abort=abort_proc_exit", "-O", *options, "filter.wasm")
    _run(work, "node", f"node_modules/assemblyscript/bin/{compiler}", *words)
    return work / "filter.wasm"


def _solo_io(work: Path) -> Path:
    return _npm(work, "asc", "-b")


def _gcore(work: Path) -> Path:
    shim = ("--config", "node_modules/@assemblyscript/wasi-shim/asconfig.json")
    return _npm(work, "asc.js", *shim, "--runtime", "incremental", "-o")


_BUILDERS: Mapping[str, Callable[[Path], Path]] = {
    "rust": _rust,
    "rust-0.1": _rust,
    "go": _go,
    "solo-io": _solo_io,
    "gcore": _gcore,
}
