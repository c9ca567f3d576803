"""A program and a container image are started with the same words."""

import os
from pathlib import Path

import pytest

from weft.envoy import Native, container
from weft.errors import PartMissing

FOLDER = Path("/tmp/weft-run-1")
USER = f"{os.getuid()}:{os.getgid()}"


def engine(folder: Path, name: str) -> Path:
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_a_program_is_run_by_its_path() -> None:
    program = Native(Path("/opt/envoy"))
    assert program.command(["-c", "f"], FOLDER) == ["/opt/envoy", "-c", "f"]
    assert program.last is None


def test_docker_sees_the_folder_and_this_machines_ports(tmp_path: Path) -> None:
    docker = engine(tmp_path, "docker")
    engine(tmp_path, "podman")
    env = {"PATH": str(tmp_path)}
    program = container("envoyproxy/envoy:v1.40.0", name="weft-7", env=env, run_arguments=["--memory", "1g"])
    assert program.command(["-c", "f"], FOLDER) == [
        *(str(docker), "run", "--rm", "--name", "weft-7", "--network", "host", "--user", USER),
        *("--volume", "/tmp/weft-run-1:/tmp/weft-run-1", "--entrypoint", "envoy", "--memory", "1g"),
        *("envoyproxy/envoy:v1.40.0", "-c", "f"),
    ]
    assert program.last == [str(docker), "rm", "--force", "weft-7"]


def test_podman_keeps_who_we_are(tmp_path: Path) -> None:
    podman = engine(tmp_path, "podman")
    program = container("envoy", name="weft-7", env={"PATH": str(tmp_path)})
    assert program.command([], FOLDER) == [
        *(str(podman), "run", "--rm", "--name", "weft-7", "--network", "host"),
        *("--userns", "keep-id", "--user", USER),
        *("--volume", "/tmp/weft-run-1:/tmp/weft-run-1", "--entrypoint", "envoy", "envoy"),
    ]


def test_without_docker_and_podman_it_is_said(tmp_path: Path) -> None:
    with pytest.raises(PartMissing) as caught:
        container("envoy", name="x", env={"PATH": str(tmp_path)})
    assert str(caught.value) == "--envoy-image needs docker or podman on PATH"
    assert caught.value.hint == "without them weft runs Envoy as a plain program"
