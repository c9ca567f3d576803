"""From one version of a deployment to the next: new things first, then what nobody needs any more."""

from typing import Any

import pytest

from weft.mesh import Facts, ModuleFacts, Step, Workload, transition
from worlds.intents import DETAILS, RATINGS, SHA256, a_plan, facts

VOLUME, MOUNT = "sidecar.istio.io/userVolume", "sidecar.istio.io/userVolumeMount"
FOLDER = "/var/local/lib/wasme-cache"
MOUNTED = Workload(
    kind="Deployment",
    name="details-v1",
    namespace="bookinfo",
    pod_labels={"app": "details"},
    annotations={
        VOLUME: f'[{{"name":"cache-dir","hostPath":{{"path":"{FOLDER}"}}}}]',
        MOUNT: f'[{{"mountPath":"{FOLDER}","name":"cache-dir"}}]',
    },
)
SETTLE = "settle Deployment details-v1"
EF = "EnvoyFilter details-v1-add-header.bookinfo"


def known(**more: Any) -> Facts:
    return facts(**{"workloads": (MOUNTED,), **more})


def said(steps: tuple[Step, ...]) -> list[str]:
    words = []
    for step in steps:
        held = step.object
        words.append(f"{step.do} {step.file.path if step.file else _name(held)}")
    return words


def _name(held: Any) -> str:
    return f"{held['kind']} {held['metadata']['name']}"


def way(before: dict[str, Any], after: dict[str, Any], newer: Facts | None = None) -> tuple[Step, ...]:
    now = newer or known()
    return transition(a_plan(known=known(), **before), a_plan(known=now, **after), now)


@pytest.mark.parametrize(
    ("before", "after", "steps"),
    [
        pytest.param(
            {"istio": {"mode": "envoyfilter"}},
            {"istio": {"mode": "envoyfilter"}, "config": "new"},
            [f"hold {FOLDER}/{SHA256}", SETTLE, f"apply {EF}"],
            id="another config",
        ),
        pytest.param(
            {"istio": {"mode": "envoyfilter"}, "id": "old"},
            {"istio": {"mode": "envoyfilter"}, "id": "new"},
            [
                f"hold {FOLDER}/{SHA256}",
                SETTLE,
                "apply EnvoyFilter details-v1-new",
                "delete EnvoyFilter details-v1-old",
            ],
            id="another id",
        ),
        pytest.param(
            {"istio": {"mode": "envoyfilter"}},
            {"istio": {"mode": "wasmplugin"}},
            [
                "apply WasmPlugin add-header",
                f"delete {EF}",
                "unmount Deployment details-v1",
                f"release {FOLDER}/{SHA256}",
            ],
            id="a way that needs no file",
        ),
        pytest.param(
            {"istio": {"mode": "wasmplugin"}},
            {"istio": {"mode": "envoyfilter"}},
            [f"hold {FOLDER}/{SHA256}", SETTLE, f"apply {EF}", "delete WasmPlugin add-header"],
            id="a way that needs a file",
        ),
    ],
)
def test_the_filter_is_there_at_every_moment(before: Any, after: Any, steps: list[str]) -> None:
    assert said(way(before, after)) == steps


def test_an_old_version_is_held_until_the_new_one_is_told() -> None:
    newer = known(module=ModuleFacts(sha256="b" * 64, size=1))
    asked = {"istio": {"mode": "envoyfilter"}}
    assert said(way(asked, asked, newer)) == [
        f"hold {FOLDER}/{'b' * 64}",
        SETTLE,
        f"apply {EF}",
        f"release {FOLDER}/{SHA256}",
    ]


def test_a_mount_that_goes_leaves_the_one_that_came() -> None:
    """Both change the same annotations: the second must know what the first did."""
    steps = way({"istio": {"mode": "envoyfilter"}}, {"istio": {"mode": "configmap"}})
    assert [step.do for step in steps] == ["apply", "mount", "apply", "unmount", "release"]
    unmounted = steps[3].object
    assert unmounted is not None
    volume = '{"name":"add-header","configMap":{"name":"add-header-aaaaaaaaaaaa"}}'
    mount = '{"mountPath":"/var/local/lib/weft-modules/add-header","name":"add-header"}'
    assert unmounted["spec"]["template"]["metadata"]["annotations"] == {
        VOLUME: f"[{volume}]",
        MOUNT: f"[{mount}]",
    }


def test_workloads_that_are_no_longer_meant_are_cleaned() -> None:
    asked = {"istio": {"mode": "envoyfilter"}}
    now = facts(workloads=(MOUNTED, RATINGS))
    before = a_plan(known=now, **asked)
    after = a_plan(known=now, **asked, workloads={"labels": {"app": "ratings"}})
    assert said(transition(before, after, now)) == [
        f"hold {FOLDER}/{SHA256}",
        "mount StatefulSet ratings",
        "apply EnvoyFilter ratings-add-header.bookinfo",
        f"delete {EF}",
        "unmount Deployment details-v1",
    ]


def test_a_mount_that_is_not_there_need_not_go() -> None:
    now = facts(workloads=(DETAILS,))
    before = a_plan(known=now, istio={"mode": "envoyfilter"})
    after = a_plan(known=now, istio={"mode": "wasmplugin"})
    assert "unmount Deployment details-v1" not in said(transition(before, after, now))
