"""The folder with the module is mounted beside what others mount, and goes without them."""

from typing import Any

import pytest

from weft.mesh import Plan, PlanRefused, Workload
from worlds.intents import (
    a_plan,
    facts,
)

VOLUME, MOUNT = "sidecar.istio.io/userVolume", "sidecar.istio.io/userVolumeMount"
OURS = '{"name":"cache-dir","hostPath":{"path":"/var/local/lib/wasme-cache"}}'
OUR_MOUNT = '{"mountPath":"/var/local/lib/wasme-cache","name":"cache-dir"}'


def annotated(**annotations: str) -> Workload:
    names = {"volume": VOLUME, "mount": MOUNT}
    return Workload(
        kind="Deployment",
        name="details-v1",
        namespace="bookinfo",
        pod_labels={"app": "details"},
        annotations={names[key]: text for key, text in annotations.items()},
    )


class TestMounts:
    def plan(self, workload: Workload) -> Plan:
        known = facts(workloads=(workload,))
        return a_plan(istio={"mode": "envoyfilter"}, known=known)

    def patched(self, workload: Workload, do: str) -> dict[str, Any]:
        plan = self.plan(workload)
        [step] = [step for step in (*plan.steps, *plan.removal) if step.do == do]
        assert step.object is not None
        held: dict[str, Any] = step.object["spec"]["template"]["metadata"]["annotations"]
        return held

    def test_the_volumes_of_others_are_kept_before_ours(self) -> None:
        theirs = annotated(
            volume='[{"name": "tmp", "emptyDir": {}}]', mount='[{"name":"tmp","mountPath":"/t"}]'
        )
        assert self.patched(theirs, "mount") == {
            VOLUME: f'[{{"name":"tmp","emptyDir":{{}}}},{OURS}]',
            MOUNT: f'[{{"name":"tmp","mountPath":"/t"}},{OUR_MOUNT}]',
        }

    def test_theirs_is_what_remains(self) -> None:
        theirs = annotated(volume='[{"name":"tmp","emptyDir":{}}]', mount='[{"name":"tmp","mountPath":"/t"}]')
        assert self.patched(theirs, "unmount") == {
            VOLUME: '[{"name":"tmp","emptyDir":{}}]',
            MOUNT: '[{"name":"tmp","mountPath":"/t"}]',
        }

    def test_nothing_remains_where_nothing_was(self) -> None:
        assert self.patched(annotated(), "unmount") == {VOLUME: None, MOUNT: None}

    def test_pods_that_have_the_mount_do_not_restart(self) -> None:
        there = annotated(volume=f"[{OURS}]", mount=f"[{OUR_MOUNT}]")
        assert self.plan(there).restarts == ()

    def test_a_mount_that_points_elsewhere_is_put_right(self) -> None:
        wrong = annotated(volume='[{"name":"cache-dir","hostPath":{"path":"/old"}}]', mount=f"[{OUR_MOUNT}]")
        assert self.patched(wrong, "mount") == {VOLUME: f"[{OURS}]"}

    @pytest.mark.parametrize(
        ("text", "complaint"),
        [
            pytest.param("[", "is no JSON: Expecting value: line 1 column 2 (char 1)", id="no JSON"),
            pytest.param("{}", "is no list of mappings", id="no list"),
            pytest.param("[1]", "is no list of mappings", id="no mappings"),
        ],
    )
    def test_what_cannot_be_merged_is_left_alone(self, text: str, complaint: str) -> None:
        with pytest.raises(PlanRefused) as caught:
            self.plan(annotated(volume=text))
        assert str(caught.value) == f"Deployment bookinfo/details-v1: its annotation {VOLUME} {complaint}"
