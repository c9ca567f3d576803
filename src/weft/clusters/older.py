"""Programs that came before weft and still act on the same resources and files."""

from weft.kube import Kube, Ref

__all__ = ["older_programs"]

# As wasme's own manifests have them.
_WASME = "wasme"
_PROGRAMS = (
    (
        Ref("apps/v1", "Deployment", "wasme-operator", _WASME),
        "wasme's operator acts on the same FilterDeployments of wasme.io; two would undo each other's work",
    ),
    (
        Ref("apps/v1", "DaemonSet", "wasme-cache", _WASME),
        "wasme's cache keeps the same folder of the nodes, and deletes files there that it does not know",
    ),
)


async def older_programs(kube: Kube) -> tuple[tuple[Ref, str, str], ...]:
    """Those that are there: which, why they are in the way, and the command that takes them away."""
    found = []
    for ref, why in _PROGRAMS:
        if await kube.find(ref) is not None:
            command = f"kubectl delete {ref.kind.lower()} {ref.name} -n {ref.namespace}"
            found.append((ref, why, command))
    return tuple(found)
