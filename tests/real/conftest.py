"""What only tests with real parts may ask for."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from assemblyscript_projects import PROJECTS, Built, build
from worlds.kubernetes import Cluster, api_server


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The module of an AssemblyScript project, compiled once a run."""
    made: dict[str, Path] = {}

    def of(name: str) -> Path:
        if name not in made:
            made[name] = build(PROJECTS / name, tmp_path_factory.mktemp(name))
        return made[name]

    return of


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A Kubernetes API, one for all tests of a worker: who kills it starts it again."""
    with api_server(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def namespace(cluster: Cluster) -> str:
    """A namespace of the cluster that nobody else uses."""
    return cluster.namespace(f"test-{uuid4().hex[:8]}")
