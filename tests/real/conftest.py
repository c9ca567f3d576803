"""What only tests with real parts may ask for."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from conftest import Weft
from modules.assemblyscript import PROJECTS, Built, build
from modules.tiny import tiny_filter
from worlds.deployments import ISTIO, World
from worlds.kubernetes import Cluster, api_server
from worlds.operators import Operators, operators_of
from worlds.real_registry import running


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The module of an AssemblyScript project, compiled once a run."""
    made: dict[str, Path] = {}

    def of(name: str) -> Path:
        if name not in made:
            made[name] = build(PROJECTS / name, tmp_path_factory.mktemp(name))
        return made[name]

    return of


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """The smallest filter with a config: see ``modules.tiny``."""
    path = tmp_path / "tiny.wasm"
    path.write_bytes(tiny_filter())
    return path


@pytest.fixture(scope="session")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A Kubernetes API, one for all tests of a worker: who kills it starts it again."""
    with api_server(tmp_path_factory.mktemp("cluster")) as cluster:
        cluster.istiod("istio/pilot:latest", cluster.namespace("istio-system"))
        yield cluster


@pytest.fixture
def namespace(cluster: Cluster) -> str:
    """A namespace of the cluster that nobody else uses."""
    return cluster.namespace(f"test-{uuid4().hex[:8]}")


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running("distribution", tmp_path_factory.mktemp("registry")) as host:
        yield host


@pytest.fixture
def world(cluster: Cluster, namespace: str, weft: Weft, home: Path, registry: str) -> World:
    for kind in ISTIO:
        cluster.knows(*kind)
    return World(cluster, namespace, weft, home, registry)


@pytest.fixture
def operators(world: World, tmp_path: Path) -> Iterator[Operators]:
    with operators_of(world, tmp_path) as operators:
        yield operators
