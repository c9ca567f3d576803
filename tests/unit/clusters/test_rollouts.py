"""When the pods of a workload are those it says: new and ready, or at least none of them old."""

from typing import Any

import pytest

from weft.clusters.rollouts import RolloutFailed, rollout_state, settling_state


def workload(kind: str = "Deployment", *, strategy: str = "", **status: Any) -> dict[str, Any]:
    spec: dict[str, Any] = {"replicas": 3}
    return {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": "w", "namespace": "n", "generation": 2},
        "spec": spec | ({"updateStrategy": {"type": strategy}} if strategy else {}),
        "status": {"observedGeneration": 2, **status},
    }


STUCK = {"type": "Progressing", "reason": "ProgressDeadlineExceeded", "message": "no progress"}


@pytest.mark.parametrize(
    ("held", "rolled_out", "settled"),
    [
        pytest.param(
            workload(replicas=3, updatedReplicas=3, availableReplicas=3), "", "", id="all new and ready"
        ),
        pytest.param(
            workload(replicas=3, updatedReplicas=3, availableReplicas=1),
            "1 of 3 pods are available",
            "",
            id="all new, not ready: whatever ails them, they have the mount",
        ),
        pytest.param(
            workload(), "0 of 3 pods are new", "no new pod is there yet", id="nobody has counted pods yet"
        ),
        pytest.param(
            workload(replicas=4, updatedReplicas=3, availableReplicas=3),
            "1 old pods are still there",
            "1 old pods are still there",
            id="an old one is left",
        ),
        pytest.param(
            workload(replicas=3, updatedReplicas=1),
            "1 of 3 pods are new",
            "2 old pods are still there",
            id="under way",
        ),
        pytest.param(
            workload(observedGeneration=1, replicas=3, updatedReplicas=3, availableReplicas=3),
            "not noticed yet",
            "not noticed yet",
            id="just changed",
        ),
        pytest.param(
            workload("StatefulSet", replicas=3, updatedReplicas=2, readyReplicas=3),
            "2 of 3 pods are new",
            "1 old pods are still there",
            id="StatefulSet",
        ),
        pytest.param(
            workload(
                "DaemonSet", desiredNumberScheduled=4, currentNumberScheduled=3, updatedNumberScheduled=3
            ),
            "3 of 4 pods are new",
            "",
            id="DaemonSet with a node that takes none",
        ),
        pytest.param(
            workload(
                "DaemonSet", desiredNumberScheduled=3, currentNumberScheduled=3, updatedNumberScheduled=1
            ),
            "1 of 3 pods are new",
            "2 old pods are still there",
            id="DaemonSet under way",
        ),
    ],
)
def test_what_is_missing(held: dict[str, Any], rolled_out: str, settled: str) -> None:
    assert (rollout_state(held), settling_state(held)) == (rolled_out, settled)


def test_a_rollout_that_got_stuck_may_be_settled() -> None:
    held = workload(replicas=3, updatedReplicas=3, conditions=[STUCK])
    with pytest.raises(RolloutFailed, match="Deployment n/w: no progress"):
        rollout_state(held)
    assert settling_state(held) == ""


@pytest.mark.parametrize("kind", ["DaemonSet", "StatefulSet"])
def test_pods_that_only_people_replace(kind: str) -> None:
    old = {"replicas": 3, "updatedReplicas": 1, "currentNumberScheduled": 3, "updatedNumberScheduled": 1}
    new = {**old, "updatedReplicas": 3, "updatedNumberScheduled": 3}
    with pytest.raises(RolloutFailed, match=rf"{kind} n/w replaces pods only when they are deleted"):
        settling_state(workload(kind, strategy="OnDelete", **old))
    assert settling_state(workload(kind, strategy="OnDelete", **new)) == ""
