"""Which workloads an intent means."""

from collections.abc import Collection, Mapping

from weft.mesh.intent.intent import Intent, Workloads
from weft.mesh.plan.facts import Facts, Workload
from weft.mesh.plan.plan import PlanRefused

__all__ = ["bystanders", "is_gateway", "selected"]

# The labels that Istio's charts and its gateway controller give the pods of gateways.
_GATEWAY_LABELS = ("gateway.networking.k8s.io/gateway-name", "gateway.istio.io/managed")


def selected(intent: Intent, facts: Facts) -> tuple[Workload, ...] | None:
    """The workloads, in the order they were found; ``None`` when nobody looked.

    Labels may be the workload's own, as wasme reads them, or its pods', as Istio does. Raises
    ``PlanRefused`` when there are none: a filter that runs nowhere is never what was meant.
    """
    if facts.workloads is None:
        return None
    wanted, namespace = intent.spec.workloads or Workloads(), intent.metadata.namespace
    kind, labels = wanted.kind, wanted.labels.items()
    found = tuple(
        one
        for one in _likely(facts, wanted)
        if (labels <= one.pod_labels.items() or labels <= one.labels.items())
        and kind in {None, one.kind}
        and one.namespace == namespace
    )
    if not found:
        raise PlanRefused(
            f"spec.workloads: no {wanted.kind or 'workload'} in namespace {namespace}{_with(wanted.labels)}",
            hint=_hint(facts, namespace),
        )
    _refuse_gateways(intent, found)
    for workload in found:
        if not workload.pod_labels:
            raise PlanRefused(f"{workload}: its pods have no labels, and Istio selects pods by labels")
    return found


def bystanders(intent: Intent, facts: Facts, found: Collection[Workload]) -> tuple[Workload, ...]:
    """Workloads that are not meant, though their pods have all labels that the intent names."""
    wanted = intent.spec.workloads or Workloads()
    return tuple(
        one
        for one in _likely(facts, wanted)
        if wanted.labels.items() <= one.pod_labels.items()
        and one.namespace == intent.metadata.namespace
        and one not in found
    )


def _likely(facts: Facts, wanted: Workloads) -> Collection[Workload]:
    """Those with the first label, their own or their pods': of a thousand few are left to be looked at."""
    for key, value in wanted.labels.items():
        return [
            one
            for one in facts.workloads or ()
            if one.pod_labels.get(key) == value or one.labels.get(key) == value
        ]
    return facts.workloads or ()


def is_gateway(workload: Workload) -> bool:
    """Whether its pods' labels say so; those of others' gateways need not."""
    labels = workload.pod_labels
    return any(label in labels for label in _GATEWAY_LABELS) or "gateway" in labels.get("istio", "")


def _with(labels: Mapping[str, str]) -> str:
    words = ",".join(f"{key}={value}" for key, value in labels.items())
    return f" has {words}" if words else ""


def _hint(facts: Facts, namespace: str) -> str:
    there = [f"{one.kind}/{one.name}" for one in facts.workloads or () if one.namespace == namespace]
    return f"there are {', '.join(there)}" if there else f"there is none at all in {namespace}"


def _refuse_gateways(intent: Intent, found: tuple[Workload, ...]) -> None:
    istio = intent.spec.target.istio
    if istio is None or (istio.context or "inbound") not in {"inbound", "outbound"}:
        return
    for workload in found:
        if is_gateway(workload):
            raise PlanRefused(
                f"{workload} is a gateway, where {istio.context or 'inbound'} traffic does not exist",
                hint="set spec.target.istio.context to gateway",
            )
