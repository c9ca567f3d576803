"""Small programs for a test's own PATH, and wheels that hold them."""

import textwrap
import zipfile
from pathlib import Path

__all__ = ["SYSTEM_PATH", "program", "wheel"]

# A shell and its helpers.
SYSTEM_PATH = "/usr/bin:/bin"


def program(folder: Path, name: str, body: str) -> Path:
    """Write an executable shell script. It finds the system's own programs whatever PATH it is given."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(_script(body))
    path.chmod(0o755)
    return path


def wheel(folder: Path, name: str, version: str, programs: dict[str, str]) -> Path:
    """Write a wheel that holds shell scripts: path inside it → body. Their executable bit is not set."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{name.replace('-', '_')}-{version}"
    path = folder / f"{stem}-py3-none-any.whl"
    files = {inside: _script(body) for inside, body in programs.items()} | {
        f"{stem}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{stem}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = f"{stem}.dist-info/RECORD"
    with zipfile.ZipFile(path, "w") as archive:
        for inside, text in files.items():
            archive.writestr(inside, text)
        archive.writestr(record, "".join(f"{inside},,\n" for inside in (*files, record)))
    return path


def _script(body: str) -> str:
    return f"#!/bin/sh\nPATH=$PATH:{SYSTEM_PATH}\n{textwrap.dedent(body)}\n"
