"""What is kept of a workload is what plans and rollouts read of it."""

from typing import Any

import pytest

from weft.clusters.rollouts import RolloutFailed, rollout_state
from weft.kube import Object
from weft.mesh import Workload
from weft.operator.slimming import slim, slim_workload


def deployment(**more: Any) -> dict[str, Any]:
    labels = {"app": "a", "version": "1"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "a",
            "namespace": "n",
            "labels": labels,
            "annotations": {"deployment.kubernetes.io/revision": "1"},
            "generation": 2,
            "resourceVersion": "7",
            "uid": "u",
            "managedFields": [{"manager": "x"}],
        },
        "spec": {
            "replicas": 2,
            "strategy": {"type": "RollingUpdate"},
            "template": {
                "metadata": {"labels": dict(labels), "annotations": {"sidecar.istio.io/userVolume": "[]"}},
                "spec": {"containers": [{"name": "a", "image": "a:1", "env": [{"name": "X"}]}]},
            },
        },
        "status": {
            "observedGeneration": 2,
            "replicas": 2,
            "updatedReplicas": 2,
            "availableReplicas": 2,
            "conditions": [{"type": "Available", "status": "True", "message": "x" * 1000}],
        },
        **more,
    }


def test_of_a_workload_only_what_is_read_is_kept() -> None:
    labels = {"app": "a", "version": "1"}
    assert slim_workload(deployment()) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": "a",
            "namespace": "n",
            "labels": labels,
            "generation": 2,
            "resourceVersion": "7",
        },
        "spec": {
            "replicas": 2,
            "template": {
                "metadata": {"labels": labels, "annotations": {"sidecar.istio.io/userVolume": "[]"}},
                "spec": {"containers": [{"image": "a:1"}]},
            },
        },
        "status": {"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2},
    }


def test_labels_that_are_the_same_are_held_once() -> None:
    kept = slim_workload(deployment())
    assert kept["spec"]["template"]["metadata"]["labels"] is kept["metadata"]["labels"]
    read = Workload.of(kept)
    assert read.labels is read.pod_labels is kept["metadata"]["labels"]


@pytest.mark.parametrize(
    "held",
    [
        pytest.param(deployment(), id="done"),
        pytest.param(deployment(status={}), id="not noticed"),
        pytest.param(deployment(spec={}, status={"observedGeneration": 2}), id="no spec"),
        pytest.param(deployment(metadata={"name": "a"}, spec={"template": {"metadata": {}}}), id="no labels"),
        pytest.param(
            deployment(spec={"updateStrategy": {"type": "OnDelete"}}, kind="DaemonSet"), id="by hand"
        ),
        pytest.param(
            deployment(
                status={
                    "observedGeneration": 2,
                    "conditions": [
                        {"type": "Available", "status": "False"},
                        {"type": "Progressing", "reason": "ProgressDeadlineExceeded", "message": "too long"},
                    ],
                }
            ),
            id="given up",
        ),
    ],
)
def test_plans_and_rollouts_read_the_same_of_both(held: Object) -> None:
    kept = slim_workload(held)
    assert Workload.of(kept) == Workload.of(held)
    assert state(kept) == state(held)


def state(held: Object) -> str:
    try:
        return rollout_state(held)
    except RolloutFailed as error:
        return f"failed: {error}"


def test_of_other_objects_all_but_who_manages_what_is_kept() -> None:
    held = deployment()
    metadata = {key: value for key, value in held["metadata"].items() if key != "managedFields"}
    assert slim(held) == {**held, "metadata": metadata}
