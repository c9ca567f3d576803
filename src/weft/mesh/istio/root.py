"""Istio's root namespace, that of its control plane: objects there select pods of all namespaces.

It is the one that is not told otherwise (``meshConfig.rootNamespace``).
"""

from weft.mesh.intent.intent import Intent, IstioTarget
from weft.mesh.plan.facts import Facts

__all__ = ["in_root", "root_notes"]


def in_root(intent: Intent, istio: IstioTarget) -> bool:
    """Whether what is made for ``intent`` is for all namespaces."""
    return intent.metadata.namespace == istio.namespace and not intent.spec.target_refs


def root_notes(intent: Intent, facts: Facts, istio: IstioTarget) -> tuple[str, ...]:
    """What a user must know of it; nobody can name the pods' labels where nobody looked."""
    if not in_root(intent, istio):
        return ()
    labels = facts.workloads is not None or (intent.spec.workloads and intent.spec.workloads.labels)
    meant = "pods of all namespaces with these labels are" if labels else "the whole mesh is"
    return (f"{istio.namespace} is Istio's root namespace: {meant} meant",)
