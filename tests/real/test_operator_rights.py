"""`weft serve operator` on a real Kubernetes API (RBAC) as one who lacks a right, or slept too long."""

import signal
from typing import Any

import pytest

from weft.installing import Installation, objects
from worlds.deployments import World
from worlds.operators import OWN, Operators, condition, failed, path, ready, resource
from worlds.waiting import until

pytestmark = pytest.mark.real("kubernetes", "distribution")

RULES = {
    held["kind"]: held["rules"]
    for held in objects(Installation())
    if held["metadata"]["name"] == "weft-operator" and "rules" in held
}


def grant(world: World, user: str, *, without: str = "", verbs: tuple[str, ...] = ()) -> None:
    """Let ``user`` do what the operator may; of ``without`` only ``verbs``."""
    world.cluster.grant(user, *RULES["Role"], namespace=world.system)
    rules: list[dict[str, Any]] = []
    for rule in RULES["ClusterRole"]:
        kept = [one for one in rule["resources"] if one != without]
        rules += [{**rule, "resources": kept}] if kept else []
        if without in rule["resources"] and verbs:
            rules.append({**rule, "resources": [without], "verbs": list(verbs)})
    world.cluster.grant(user, *rules)


def test_what_it_may_not_see_is_said_in_every_status(world: World, operators: Operators) -> None:
    user = f"blind-{world.namespace}"
    grant(world, user, without="statefulsets")
    operators.start(user=user)
    world.workload("details")
    resource(world)
    held = failed(world, 'cannot list resource "statefulsets"')
    assert (held["status"], held["reason"]) == ("False", "Denied")
    assert condition(world, "Resolved")["status"] == "False"
    assert world.names("wasmplugins") == []
    world.cluster.grant(
        user, {"apiGroups": ["apps"], "resources": ["statefulsets"], "verbs": ["list", "watch", "patch"]}
    )
    ready(world)


def test_what_it_may_not_write_is_said_in_the_status(world: World, operators: Operators) -> None:
    user = f"mute-{world.namespace}"
    grant(world, user, without="wasmplugins", verbs=("get", "list", "watch"))
    operators.start(user=user)
    world.workload("details")
    resource(world)
    failed(world, 'cannot patch resource "wasmplugins"')
    assert condition(world, "Programmed")["status"] == "False"
    rule = {"apiGroups": ["extensions.istio.io"], "resources": ["wasmplugins"], "verbs": ["patch", "create"]}
    world.cluster.grant(user, rule)
    ready(world)


def test_what_happened_before_all_that_is_still_known_is_found_by_looking(
    world: World, operators: Operators
) -> None:
    process = operators.start("one", "--lease", "600", "--again", "600")
    world.workload("details")
    for name in ("headers", "other"):
        resource(world, name)
        ready(world, name)
    process.send_signal(signal.SIGSTOP)
    world.ask("PATCH", path(OWN, world, "headers"), {"spec": {"config": {"value": 7}}})
    world.ask("DELETE", path(OWN, world, "other"))
    (plugin,) = [one for one in world.names("wasmplugins") if "other" in one]
    last = world.ask("PATCH", f"{world.plugins}/{plugin}", {"metadata": {"labels": {"touched": "yes"}}})
    world.cluster.compact(int(last["metadata"]["resourceVersion"]))
    world.cluster.kill()
    world.cluster.start()
    process.send_signal(signal.SIGCONT)
    ready(world, generation=2)
    until(lambda: len(world.ask("GET", path(OWN, world))["items"]) == 1, "end of the other")
    (left,) = world.names("wasmplugins")
    assert world.plugin(left)["spec"]["pluginConfig"] == {"value": 7}
