"""Two who deploy, or undeploy, one filter at the same moment: the outcome is that of one of them, whole."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from worlds.deployments import World

pytestmark = pytest.mark.real("kubernetes", "distribution")

WORKLOADS = [f"w{number:02}" for number in range(12)]
ROUNDS = 4


@pytest.fixture
def world(world: World) -> World:
    for name in WORKLOADS:
        world.workload(name)
    return world


def intent(world: World, folder: Path, value: str) -> Path:
    """With a rollout each workload has an object of its own."""
    held = {
        "apiVersion": "weft.dev/v1alpha1",
        "kind": "FilterDeployment",
        "metadata": {"name": "headers", "namespace": world.namespace},
        "spec": {
            "image": world.image,
            "config": {"value": value},
            "rollout": {"steps": []},
            "target": {"istio": {"namespace": world.istio, "mode": "wasmplugin"}},
        },
    }
    file = folder / f"{value}.json"
    file.write_text(json.dumps(held))
    return file


def deploying(world: World, folder: Path, value: str) -> tuple[str, ...]:
    return ("deploy", "istio", "-f", str(intent(world, folder, value)), "--skip-config-check")


def start(world: World, *words: str) -> subprocess.Popen[str]:
    env = {
        **os.environ,
        "KUBECONFIG": str(world.cluster.admin),
        "WEFT_REGISTRY_PLAIN_HTTP": world.registry,
        "WEFT_HOME": str(world._home),
    }
    command = [sys.executable, "-m", "weft", *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, text=True)


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, err = process.communicate(timeout=60)
    return process.returncode, err


def values(world: World) -> list[str]:
    """What the objects of all workloads say."""
    items = world.ask("GET", world.plugins)["items"]
    return [one["spec"]["pluginConfig"]["value"] for one in items]


def both(world: World, *commands: tuple[str, ...]) -> list[bool]:
    """Which of two commands was done; who was not was told that it was outrun."""
    said = [ended(one) for one in [start(world, *words) for words in commands]]
    for code, err in said:
        assert code in {0, 8}, err
        assert code == 0 or f"error: filter {world.namespace}/headers " in err, err
    done = [code == 0 for code, _ in said]
    assert any(done)
    return done


def test_two_configs(world: World, tmp_path: Path) -> None:
    for number in range(ROUNDS):
        names = [f"{who}{number}" for who in ("a", "b")]
        done = both(world, *(deploying(world, tmp_path, name) for name in names))
        found = values(world)
        assert len(found) == len(WORKLOADS)
        assert set(found) in [{name} for name, was_done in zip(names, done, strict=True) if was_done]
    assert world.status().code == 0


def test_one_deploys_and_one_undeploys(world: World, tmp_path: Path) -> None:
    for number in range(ROUNDS):
        code, err = ended(start(world, *deploying(world, tmp_path, f"before{number}")))
        assert code == 0, err
        name = f"after{number}"
        undeploying = ("undeploy", "headers", "-n", world.namespace)
        deployed, undeployed = both(world, deploying(world, tmp_path, name), undeploying)
        outcome = (values(world), len(world.configs()))
        wholes = [([name] * len(WORKLOADS), 1)] if deployed else []
        wholes += [([], 0)] if undeployed else []
        assert outcome in wholes
