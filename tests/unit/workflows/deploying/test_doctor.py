"""What `weft doctor` makes of the words of an API."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from weft.workflows.deploying.cluster import ClusterAccess
from weft.workflows.deploying.doctor import examine
from worlds.kube_api import KubeWorld, open_world


@pytest.fixture
async def world() -> AsyncIterator[KubeWorld]:
    async with open_world() as world:
        yield world


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        pytest.param("v1.36.2", "Kubernetes v1.36.2", id="a release"),
        pytest.param("v1.30.4-gke.1348000", "Kubernetes v1.30.4-gke.1348000", id="that of a cloud"),
        pytest.param("1.31.0+k3s1", "Kubernetes 1.31.0+k3s1", id="without v"),
        pytest.param("v0.0.0-master+$Format:%H$", "a Kubernetes of no known version", id="built by hand"),
        pytest.param("", "a Kubernetes of no known version", id="nothing"),
    ],
)
async def test_the_version_is_said_where_it_is_one(
    world: KubeWorld, tmp_path: Path, said: str, shown: str
) -> None:
    async def version(_: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({"gitVersion": said})

    world.meet("GET", "/version", version)
    server = f"http://{world.host}"
    config = {
        "current-context": "c",
        "clusters": [{"name": "here", "cluster": {"server": server}}],
        "contexts": [{"name": "c", "context": {"cluster": "here", "user": ""}}],
    }
    file = tmp_path / "config"
    file.write_text(json.dumps(config))
    found = await examine(ClusterAccess(env={}, kubeconfig=file))
    assert (found[0].what, str(found[0].health)) == ("cluster", "ok")
    assert found[0].message.endswith(f", {server}, {shown}")
