"""`weft serve operator` on a real Kubernetes API: versions that come step by step, and signatures."""

import json
from pathlib import Path
from typing import Any

import pytest

from worlds.deployments import World
from worlds.operators import OWN, Operators, condition, envoyfilter, failed, path, ready, resource, status
from worlds.waiting import until

pytestmark = pytest.mark.real("kubernetes", "distribution")

FOUR = ("a", "b", "c", "d")


@pytest.fixture
def four(world: World) -> World:
    for name in FOUR:
        world.workload(name)
    return world


def change(world: World, **spec: Any) -> None:
    world.ask("PATCH", path(OWN, world, "headers"), {"spec": spec})


def values(world: World) -> str:
    """The config of each workload's plugin, in the order of their names."""
    plugins = [world.plugin(name)["spec"] for name in sorted(world.names("wasmplugins"))]
    return "".join(str(one["pluginConfig"]["value"]) for one in plugins)


def steps(*percents: int, hold: str = "") -> dict[str, Any]:
    return {"steps": [{"percent": one} | ({"hold": hold} if hold else {}) for one in percents]}


class TestSteps:
    def test_a_version_comes_to_one_workload_after_the_other(self, four: World, operators: Operators) -> None:
        operators.start()
        with four.cluster.kubelet(four.namespace):
            resource(four, rollout=steps(25))
            ready(four)
            assert values(four) == "1111"
            change(four, config={"value": 2}, rollout=steps(25, 50, hold="1h"))
            failed(four, "stage 1 of 2: 1 of 4 workloads have it since")
            assert values(four) == "2111"
            assert condition(four)["reason"] == "RollingOut"
            held = status(four)
            assert [one["state"] for one in held["workloads"]] == ["Ready", "Former", "Former", "Former"]
            assert held["rollout"]["state"] == "RollingOut"

            change(four, rollout=steps(25, 50, hold="1s"))
            ready(four, generation=3)
            assert values(four) == "2222"
            assert status(four)["rollout"]["state"] == "Done"

    def test_another_operator_goes_on_from_there(self, four: World, operators: Operators) -> None:
        first = operators.start("one")
        with four.cluster.kubelet(four.namespace):
            resource(four, rollout=steps(50, hold="2s"))
            failed(four, "stage 1 of 1: 2 of 4 workloads have it since")
            since = status(four)["rollout"]["since"]
            first.kill()
            assert since in condition(four)["message"]
            operators.start("two")
            ready(four)
            assert values(four) == "1111"

    def test_a_stage_whose_pods_do_not_get_ready_is_called_off(
        self, four: World, operators: Operators
    ) -> None:
        operators.start("one", "--timeout", "3")
        four.node_cache("one", four.sha256)
        with four.cluster.kubelet(four.namespace):
            resource(four, rollout=steps(25), target=envoyfilter(four))
            ready(four)
        first, module = status(four)["resolvedImage"], four.sha256
        four.publish("two")
        four.node_cache("one", module, four.sha256)
        four.ask("PATCH", f"apps/v1/namespaces/{four.namespace}/deployments/a",
                 {"spec": {"template": {"metadata": {"labels": {"broken": "yes"}}}}})  # fmt: skip
        change(four, config={"value": 2})
        failed(four, f"{first} is back")
        assert condition(four)["reason"] == "CalledOff"
        assert "Deployment" in condition(four)["message"]
        assert json.dumps(world_filters(four)).count(four.sha256) == 0
        # It stays so, until somebody wants something else.
        with four.cluster.kubelet(four.namespace):
            change(four, config={"value": 3})
            ready(four, generation=3)
        assert json.dumps(world_filters(four)).count(four.sha256) == len(FOUR)

    def test_a_stage_whose_pods_do_not_stay_ready_is_called_off(
        self, four: World, operators: Operators
    ) -> None:
        operators.start("one", "--timeout", "2")
        with four.cluster.kubelet(four.namespace):
            resource(four, rollout=steps(25))
            ready(four)
            change(four, config={"value": 2}, rollout=steps(25, hold="1h"))
            failed(four, "stage 1 of 1: 1 of 4 workloads have it since")
            assert values(four) == "2111"
        [pod] = four.cluster.ask("GET", f"/api/v1/namespaces/{four.namespace}/pods?labelSelector=app%3Da")[
            "items"
        ]
        crashed = {"conditions": [{"type": "Ready", "status": "False"}]}
        status_of = f"/api/v1/namespaces/{four.namespace}/pods/{pod['metadata']['name']}/status"
        four.cluster.ask("PATCH", status_of, {"status": crashed})
        failed(four, "0 of 1 pods are available")
        assert condition(four)["reason"] == "CalledOff"
        assert values(four) == "1111"

    def test_the_first_version_that_fails_leaves_nothing(self, four: World, operators: Operators) -> None:
        operators.start("one", "--timeout", "1")
        resource(four, rollout=steps(25))
        failed(four, "it is taken away, there was none before")
        assert four.names("wasmplugins") == []

    def test_gateways_cannot_go_step_by_step(self, four: World, operators: Operators) -> None:
        operators.start()
        resource(four, rollout={}, targetRefs=[{"name": "gateway"}])
        failed(four, "has no place for spec.rollout")

    def test_a_version_that_is_laid_out_otherwise_is_refused(self, four: World, operators: Operators) -> None:
        operators.start()
        resource(four)
        ready(four)
        change(four, config={"value": 2}, rollout=steps(25))
        failed(four, "both would run side by side; make this change without spec.rollout")
        assert values(four) == "1"


def world_filters(world: World) -> list[Any]:
    api = f"networking.istio.io/v1alpha3/namespaces/{world.namespace}/envoyfilters"
    return list(world.ask("GET", api)["items"])


def test_an_image_without_the_signature_that_is_asked_for_does_not_come(
    world: World, operators: Operators, tmp_path: Path
) -> None:
    key = tmp_path / "team"
    made = world.weft("key", "generate", "--output-key-prefix", str(key), WEFT_KEY_PASSWORD="a")
    assert made.code == 0, made.err
    operators.start()
    world.workload("details")
    resource(world, verify={"keys": [{"pem": key.with_suffix(".pub").read_text()}]})
    until(lambda: condition(world, "Verified").get("status") == "False", "refusal")
    assert condition(world)["reason"] == "Unsigned"
    assert world.names("wasmplugins") == []
    signed = world.weft("sign", "--key", str(key.with_suffix(".key")), world.image, WEFT_KEY_PASSWORD="a")
    assert signed.code == 0, signed.err
    ready(world)
    assert condition(world, "Verified")["status"] == "True"
