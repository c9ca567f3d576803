"""The steps of a plan in which pods mount a folder with the module, and an EnvoyFilter names the file."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from weft.mesh.intent.intent import Intent, IstioTarget
from weft.mesh.istio.envoyfilter import envoyfilter
from weft.mesh.istio.mounts import mount_patch, patched, unmount_patch
from weft.mesh.istio.version import istio_version
from weft.mesh.plan.facts import Facts, Workload
from weft.mesh.plan.objects import apply_and_delete, object_name
from weft.mesh.plan.plan import Do, Step
from weft.mesh.plan.plugins import plugin_of, routes_of
from weft.mesh.plan.selection import selected

__all__ = ["Folder", "filter_steps", "mount_steps"]


@dataclass(frozen=True, slots=True)
class Folder:
    """A volume of a pod and where proxies see it."""

    name: str
    path: str
    source: dict[str, Any]
    """``{"hostPath": …}`` or ``{"configMap": …}``."""
    shared: bool = False
    """Whether other filters may need it too."""

    @property
    def volume(self) -> dict[str, Any]:
        """The entry of ``userVolume``."""
        return {"name": self.name, **self.source}

    @property
    def mount(self) -> dict[str, Any]:
        """The entry of ``userVolumeMount``."""
        return {"mountPath": self.path, "name": self.name}


def mount_steps(intent: Intent, facts: Facts, folder: Folder) -> Iterator[tuple[Step, Step | None]]:
    """For each workload the step that mounts ``folder`` and the one that takes it away, where needed.

    Workloads that say the mount already come last: not all of their pods need have it.
    """
    pairs = [(workload, _mount(workload, folder)) for workload in selected(intent, facts) or ()]
    for workload, there in sorted(pairs, key=lambda pair: pair[1].do is Do.SETTLE):
        yield there, _unmount(workload, facts, folder)


def filter_steps(intent: Intent, facts: Facts, istio: IstioTarget, file: str) -> Iterator[tuple[Step, Step]]:
    """For each workload the step that brings its EnvoyFilter and the one that takes it away."""
    version = istio_version(istio, facts)
    plugin = plugin_of(intent, facts, file)
    routes = routes_of(intent, plugin)
    for name, labels in _selectors(intent, selected(intent, facts)):
        held = envoyfilter(name, intent, istio, version, plugin, routes, labels, str(facts.image))
        yield apply_and_delete(
            held, why="every proxy that it selects can read the file", gone="first, while the file is there"
        )


def _selectors(intent: Intent, found: Sequence[Workload] | None) -> Iterator[tuple[str, dict[str, str]]]:
    if found is None:
        wanted = intent.spec.workloads
        yield object_name(intent.filter_id), dict(wanted.labels) if wanted else {}
        return
    for workload in found:
        yield object_name(workload.name, intent.filter_id), dict(workload.pod_labels)


def _mount(workload: Workload, folder: Folder) -> Step:
    patch = mount_patch(workload, folder.volume, folder.mount)
    if patch is None:
        held = {
            "apiVersion": "apps/v1",
            "kind": workload.kind,
            "metadata": {"name": workload.name, "namespace": workload.namespace},
        }
        return Step(do=Do.SETTLE, object=held, why=f"{workload} says the mount; all of its pods must have it")
    why = f"{workload} lacks the mount; its pods restart once"
    return Step(do=Do.MOUNT, object=patch, volume=folder.name, why=why)


def _unmount(workload: Workload, facts: Facts, folder: Folder) -> Step | None:
    """Judged on the workload as it will be: with the mount."""
    if folder.shared and workload.ref in facts.shared_mounts:
        return None
    later = patched(workload, mount_patch(workload, folder.volume, folder.mount))
    patch = unmount_patch(later, folder.name)
    return Step(do=Do.UNMOUNT, object=patch, volume=folder.name, why="no other filter needs the mount")
