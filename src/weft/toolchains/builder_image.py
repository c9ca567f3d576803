"""Build inside a container image, for those who have one: the contract of wasme's builder images.

The container gets a copy of the project at ``/src/workspace``, because such builders write beside the source,
and leaves the module at ``/build_output/filter.wasm``. It runs as the user, so nothing is left that only
root may delete, and it is removed when the build is stopped.
"""

import asyncio
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from weft.base.processes import run
from weft.errors import PartMissing
from weft.toolchains.language import Job
from weft.toolchains.workbench import StepFailed

__all__ = ["BuilderImage", "container_engine"]

_WORKSPACE = "/src/workspace"
_OUTPUT = "/build_output"
_REMOVE_SECONDS = 30.0
_ENGINE_FAILED = 125  # what docker and podman exit with when the failure is theirs, not the container's

# What the builder's entry script asks for, by language.
_SETTINGS = {
    "assemblyscript": {"BUILD_TOOL": "npm"},
    "cpp": {
        "BUILD_TOOL": "bazel",
        "BUILD_BASE": ".",
        "BAZEL_OUTPUT": "filter.wasm",
        "TARGET": ":filter.wasm",
    },
    "go": {"BUILD_TOOL": "tinygo"},
    "rust": {"BUILD_TOOL": "bazel", "BUILD_BASE": ".", "BAZEL_OUTPUT": "filter.wasm", "TARGET": ":filter"},
}

# Made by builds on the user's machine, and nothing for a container to start from.
_NOT_SOURCE = shutil.ignore_patterns(".git", "node_modules", "target", "bazel-*")


def container_engine(env: Mapping[str, str]) -> Path:
    """Docker, or podman where it is asked for or alone. Raises ``PartMissing`` when there is neither."""
    podman_first = bool(env.get("WEFT_USE_PODMAN") or env.get("WASME_USE_PODMAN"))
    names = ("podman",) if podman_first else ("docker", "podman")
    for name in names:
        if path := shutil.which(name, path=env.get("PATH", "")):
            return Path(path).absolute()
    raise PartMissing(
        f"--builder-image needs {' or '.join(names)}, not on PATH",
        hint="leave --builder-image out: weft brings its own compilers",
    )


@dataclass(frozen=True, slots=True)
class BuilderImage:
    """A ``Language`` that leaves the work to ``image``."""

    name: str
    image: str
    env: Mapping[str, str]
    settings: Mapping[str, str] = field(default_factory=dict)
    """Variables for the builder that differ from wasme's defaults."""
    tools: tuple[str, ...] = ()

    async def build(self, job: Job) -> None:
        """Run the container to its end; raises ``BuildFailed`` with its words."""
        engine = container_engine(self.env)
        source = job.scratch / "source"
        await asyncio.to_thread(shutil.copytree, job.source, source, symlinks=True, ignore=_NOT_SOURCE)
        container = f"weft-build-{os.urandom(6).hex()}"
        proxies = _proxies(self.env)
        command = [str(engine), "run", "--rm", "--name", container, *_as_user(engine)]
        command += ["--security-opt", "label=disable"]  # SELinux would hide both folders
        command += ["-v", f"{source}:{_WORKSPACE}", "-v", f"{job.output.parent}:{_OUTPUT}", "-w", _WORKSPACE]
        for name, value in {"HOME": "/tmp", **_SETTINGS[self.name], **self.settings}.items():  # noqa: S108
            command += ["-e", f"{name}={value}"]
        for name in proxies:
            command += ["-e", name]  # the value comes from our environment: it may hold a password
        try:
            await job.execute([*command, self.image], cwd=job.scratch, env=proxies)
        except StepFailed as error:
            if error.finished.code == _ENGINE_FAILED:
                raise StepFailed(f"{engine.name} could not run {self.image}", error.finished) from error
            raise
        except asyncio.CancelledError:
            await run([engine, "rm", "--force", container], env=self.env, timeout=_REMOVE_SECONDS)
            raise


def _as_user(engine: Path) -> list[str]:
    user = ["--user", f"{os.getuid()}:{os.getgid()}"]
    rootless_podman = engine.name == "podman" and os.getuid() != 0
    return ["--userns", "keep-id", *user] if rootless_podman else user


def _proxies(env: Mapping[str, str]) -> dict[str, str]:
    """The user's proxies under both spellings: half the world's tools read each."""
    found: dict[str, str] = {}
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        if value := env.get(name) or env.get(name.upper()):
            found |= {name: value, name.upper(): value}
    return found | ({"GOPROXY": env["GOPROXY"]} if env.get("GOPROXY") else {})
