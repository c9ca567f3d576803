"""The two ways to run an Envoy: a program on this machine, or a container image.

Both take the same arguments and see the same files under the same paths, and both listen on this machine's
loopback interface: a container gets the host's network, because then ports, the upstream and the admin are
the same for both. (Docker Desktop needs its setting "host networking" for that.)
"""

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from weft.errors import PartMissing

__all__ = ["Container", "Native", "Program", "container"]


class Program(Protocol):
    """Something that can be started as Envoy."""

    def command(self, arguments: Sequence[str], folder: Path) -> list[str]:
        """The words that run it; it may read and write ``folder``."""
        ...

    @property
    def last(self) -> list[str] | None:
        """What ends it for certain, when killing the command does not."""
        ...


@dataclass(frozen=True, slots=True)
class Native:
    """A program file."""

    path: Path

    def command(self, arguments: Sequence[str], folder: Path) -> list[str]:  # noqa: ARG002 - it sees all files
        """See ``Program``."""
        return [str(self.path), *arguments]

    @property
    def last(self) -> None:
        """Killing the program is enough."""
        return


@dataclass(frozen=True, slots=True)
class Container:
    """An image run by docker or podman."""

    engine: Path
    image: str
    name: str
    user: str
    run_arguments: tuple[str, ...] = ()

    def command(self, arguments: Sequence[str], folder: Path) -> list[str]:
        """See ``Program``."""
        return [
            *(str(self.engine), "run", "--rm", "--name", self.name, "--network", "host"),
            *self._identity(),
            *("--volume", f"{folder}:{folder}", "--entrypoint", "envoy"),
            *self.run_arguments,
            self.image,
            *arguments,
        ]

    def _identity(self) -> list[str]:
        """The folder is readable for us alone, so Envoy runs as us."""
        keep = ["--userns", "keep-id"] if self.engine.name == "podman" else []
        return [*keep, "--user", self.user]

    @property
    def last(self) -> list[str]:
        """The container lives on when its client is killed."""
        return [str(self.engine), "rm", "--force", self.name]


def container(
    image: str, *, name: str, env: Mapping[str, str], run_arguments: Sequence[str] = ()
) -> Container:
    """``image`` under docker, or podman when there is no docker; raises ``PartMissing`` without either."""
    for engine in ("docker", "podman"):
        if found := shutil.which(engine, path=env.get("PATH", os.defpath)):
            user = f"{os.getuid()}:{os.getgid()}"
            return Container(Path(found), image, name, user, tuple(run_arguments))
    raise PartMissing(
        "--envoy-image needs docker or podman on PATH", hint="without them weft runs Envoy as a plain program"
    )
