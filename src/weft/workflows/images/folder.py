"""Lay files out in a folder under names that strangers chose, and never anywhere else.

Names are relative, without ``..``, and lead through no link. An archive (ORAS packs folders as tar) may hold
links that stay inside; they are made last, so that nothing is ever written through one. Everything is
prepared in a fresh folder beside its place and moved when all of it is there.
"""

import os
import shutil
import tarfile
from pathlib import Path, PurePosixPath

from weft.errors import WeftError

__all__ = ["EscapeRefused", "lay", "move_into", "unpack"]

_MAX_ENTRIES = 20_000
# A folder of web pages or data fits; beyond this it is a bomb.
_MAX_UNPACKED_BYTES = 1024 * 1024 * 1024
_MAX_NAME_BYTES = 255
_FILE_MODE, _PROGRAM_MODE = 0o644, 0o755
_CHUNK = 256 * 1024


class EscapeRefused(WeftError):
    """A name that leads out of the folder, or is none."""


def lay(blob: Path, root: Path, name: str) -> Path:
    """Put ``blob`` under ``root`` as ``name``; raises ``EscapeRefused``."""
    place = _place(root, name)
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists():
        raise EscapeRefused(f"two files of the artifact are called {name!r}")
    shutil.copyfile(blob, place)
    return place


def unpack(archive: Path, root: Path) -> None:
    """Unpack a tar archive, plain or compressed, under ``root``; raises ``EscapeRefused``, ``WeftError``."""
    links: list[tuple[Path, tarfile.TarInfo]] = []
    total = 0
    try:
        with tarfile.open(archive) as tar:
            for count, member in enumerate(tar):
                total += member.size
                if count >= _MAX_ENTRIES or total > _MAX_UNPACKED_BYTES:
                    raise EscapeRefused(
                        f"an archive of the artifact unpacks to more than {_MAX_UNPACKED_BYTES >> 20} MiB "
                        f"or {_MAX_ENTRIES} files"
                    )
                if PurePosixPath(member.name) == PurePosixPath():
                    continue
                place = _place(root, member.name)
                if member.issym():
                    links.append((place, member))
                else:
                    _unpack_one(tar, member, place)
        for place, member in links:
            _link(root, place, member)
    except (tarfile.TarError, EOFError, OSError) as error:
        raise WeftError(f"an archive of the artifact cannot be unpacked: {error}") from error


def move_into(prepared: Path, folder: Path) -> list[Path]:
    """Move everything under ``prepared`` to ``folder``, replacing files; gives their places in it.

    Raises ``EscapeRefused`` before anything is moved when a folder on the way is a link that leads out.
    """
    entries = sorted(path for path in prepared.rglob("*") if path.is_symlink() or not path.is_dir())
    relative = [path.relative_to(prepared) for path in entries]
    home = folder.resolve()
    for name in relative:
        if not (folder / name).parent.resolve().is_relative_to(home) or (folder / name).is_dir():
            raise EscapeRefused(f"{folder / name} is in the way, or leads out of {folder}")
    for path, name in zip(entries, relative, strict=True):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        path.replace(folder / name)
    return relative


def _place(root: Path, name: str) -> Path:
    path = PurePosixPath(name)
    wrong = (
        not name
        or path.is_absolute()
        or ".." in path.parts
        or not path.parts
        or not name.isprintable()
        or any(len(part.encode()) > _MAX_NAME_BYTES for part in path.parts)
    )
    if wrong:
        raise EscapeRefused(f"the artifact names a file {name[:_MAX_NAME_BYTES]!r}; nothing was written")
    return root / path


def _unpack_one(tar: tarfile.TarFile, member: tarfile.TarInfo, place: Path) -> None:
    if member.isdir():
        place.mkdir(parents=True, exist_ok=True)
        return
    source = tar.extractfile(member) if member.isreg() else None
    if source is None:
        raise EscapeRefused(f"the artifact holds {member.name!r}, which is no file, folder or symbolic link")
    place.parent.mkdir(parents=True, exist_ok=True)
    with source, place.open("xb") as file:
        shutil.copyfileobj(source, file, _CHUNK)
    place.chmod(_PROGRAM_MODE if member.mode & 0o100 else _FILE_MODE)


def _link(root: Path, place: Path, member: tarfile.TarInfo) -> None:
    """Make a link and see where it really leads: through others, it may lead elsewhere than it says."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.parent.resolve() != root.resolve() / place.parent.relative_to(root):
        raise EscapeRefused(f"the artifact puts the link {member.name!r} behind another link")
    place.symlink_to(member.linkname)
    leads_to = Path(os.path.realpath(place))  # as the system would follow it; a circle is no failure
    if not leads_to.is_relative_to(root.resolve()) or PurePosixPath(member.linkname).is_absolute():
        raise EscapeRefused(
            f"the artifact's link {member.name!r} leads out of the folder; nothing was written"
        )
