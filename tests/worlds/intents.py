"""Intents, workloads and facts for tests of deployments."""

from typing import Any

import pytest

from weft.mesh import (
    Facts,
    ImageUrl,
    Intent,
    ModuleFacts,
    Plan,
    PlanRefused,
    Workload,
    make_plan,
    read_intent,
)

DIGEST = "1" * 64
SHA256 = "a" * 64
IMAGE = f"hub.example.com/team/add-header:v1.2@sha256:{DIGEST}"

DETAILS = Workload(
    kind="Deployment",
    name="details-v1",
    namespace="bookinfo",
    labels={"app": "details"},
    pod_labels={"app": "details", "version": "v1"},
)
RATINGS = Workload(
    kind="StatefulSet",
    name="ratings",
    namespace="bookinfo",
    labels={"app": "ratings"},
    pod_labels={"app": "ratings"},
)
MODULE = ModuleFacts(
    sha256=SHA256,
    size=782,
    host_functions=("proxy_add_header_map_value", "proxy_log"),
    callbacks=("proxy_on_configure", "proxy_on_response_headers"),
    content=b"\0asm\1\0\0\0",
)


def document(**spec: Any) -> dict[str, Any]:
    """A FilterDeployment with these fields of ``spec`` beside the image."""
    metadata = {"name": "add-header", "namespace": "bookinfo"}
    return {
        "apiVersion": "weft.dev/v1alpha1",
        "kind": "FilterDeployment",
        "metadata": metadata,
        "spec": {"image": IMAGE, **spec},
    }


def an_intent(*, istio: dict[str, Any] | None = None, **spec: Any) -> Intent:
    """An intent; ``istio`` are the fields of its target."""
    target = {} if istio is None else {"target": {"istio": istio}}
    return read_intent(document(**target, **spec), where="test")


def facts(**more: Any) -> Facts:
    """All is known: the module, and the workloads ``details-v1`` and ``ratings``."""
    known: dict[str, Any] = {
        "image": ImageUrl.parse(IMAGE),
        "module": MODULE,
        "workloads": (DETAILS, RATINGS),
    }
    return Facts(**{**known, **more})


def a_plan(*, istio: dict[str, Any] | None = None, known: Facts | None = None, **spec: Any) -> Plan:
    """The plan of ``an_intent`` with the same fields."""
    return make_plan(an_intent(istio=istio, **spec), known or facts())


def told(plan: Plan) -> list[tuple[str, str]]:
    """What is done with what, in order."""
    return [_told(step) for step in plan.steps]


def undone(plan: Plan) -> list[tuple[str, str]]:
    """What is done with what on the way back."""
    return [_told(step) for step in plan.removal]


def _told(step: Any) -> tuple[str, str]:
    held = step.object
    return str(step.do), step.file.path if step.file else f"{held['kind']} {held['metadata']['name']}"


def refused(**asked: Any) -> PlanRefused:
    """Why ``a_plan`` with these fields cannot be."""
    with pytest.raises(PlanRefused) as caught:
        a_plan(**asked)
    return caught.value
