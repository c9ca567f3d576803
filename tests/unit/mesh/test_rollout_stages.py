"""Which workloads a version reaches, stage by stage."""

from typing import Any

import pytest

from weft.mesh import Workload, read_intent, stages


def rollout(*steps: dict[str, Any]) -> Any:
    spec = {"image": "hub/f:v1", "rollout": {"steps": list(steps)}}
    held = {
        "apiVersion": "weft.dev/v1alpha1",
        "kind": "FilterDeployment",
        "metadata": {"name": "f"},
        "spec": spec,
    }
    return read_intent(held, where="f").spec.rollout


@pytest.mark.parametrize(
    ("count", "percents", "reached"),
    [
        pytest.param(4, (25, 50), ("a", "ab"), id="even"),
        pytest.param(3, (5, 34, 67), ("a", "ab", "abc"), id="rounded up"),
        pytest.param(1, (1, 100), ("a", "a"), id="one workload is all there is"),
        pytest.param(0, (50,), ("",), id="none"),
        pytest.param(4, (), (), id="no steps: all at once"),
    ],
)
def test_a_step_is_so_many_percent_in_the_order_of_names(
    count: int, percents: tuple[int, ...], reached: tuple[str, ...]
) -> None:
    workloads = [Workload(kind="Deployment", name=name) for name in reversed("abcd"[:count])]
    found = stages(rollout(*({"percent": one} for one in percents)), workloads)
    assert tuple("".join(one.name for one in stage.workloads) for stage in found) == reached


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("30s", 30.0), ("5m", 300.0), ("2h", 7200.0), ("0s", 0.0)]
)
def test_how_long_it_is_held(text: str, seconds: float) -> None:
    (stage,) = stages(rollout({"percent": 1, "hold": text}), [])
    assert stage.hold == seconds
