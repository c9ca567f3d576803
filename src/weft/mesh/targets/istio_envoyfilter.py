"""Istio of any version: the node cache writes the file, pods mount its folder, an EnvoyFilter names it."""

from collections.abc import Iterator

from weft.mesh.intent.intent import Intent, IstioTarget
from weft.mesh.istio.envoyfilter import why_not
from weft.mesh.istio.mounted import Folder, filter_steps, mount_steps
from weft.mesh.istio.root import root_notes
from weft.mesh.istio.version import istio_version
from weft.mesh.plan.facts import Facts
from weft.mesh.plan.limits import limits, refuse
from weft.mesh.plan.plan import Do, ModuleFile, Plan, Step

__all__ = ["plan_envoyfilter"]

_TARGET = "istio/envoyfilter"


def plan_envoyfilter(intent: Intent, facts: Facts, istio: IstioTarget) -> Plan:
    """Raises ``PlanRefused`` for what this way cannot do."""
    reasons = [
        *limits(_TARGET, intent, facts, lacks=("targetRefs",), restricts=True),
        *why_not(intent, istio_version(istio, facts)),
    ]
    if facts.module is None:
        reasons.append("the file is named by the module's sha256, and the image was not looked into")
    refuse(_TARGET, reasons)
    assert facts.module is not None  # noqa: S101 - refused above
    sha256, volume = facts.module.sha256, istio.volume
    file = ModuleFile(f"{volume.path}/{sha256}", sha256, str(facts.image))
    folder = Folder(volume.name, volume.path, {"hostPath": {"path": volume.path}}, shared=True)
    mounts = list(mount_steps(intent, facts, folder))
    filters = list(filter_steps(intent, facts, istio, file.path))
    hold = Step(do=Do.HOLD, file=file, why="a proxy that is told of a missing file takes no update at all")
    release = Step(do=Do.RELEASE, file=file, why="last: nothing names it any more")
    return Plan(
        filter_id=intent.filter_id,
        target=_TARGET,
        steps=(hold, *(on for on, _ in mounts), *(on for on, _ in filters)),
        removal=(
            *(off for _, off in reversed(filters)),
            *(off for _, off in reversed(mounts) if off),
            release,
        ),
        reasons=(*_notes(intent, facts), *root_notes(intent, facts, istio)),
    )


def _notes(intent: Intent, facts: Facts) -> Iterator[str]:
    if facts.workloads is None:
        yield "which workloads lack the mount of the module folder is found out when deployed"
    told = intent.spec.registry
    if told.plain_http or told.insecure_skip_verify:
        yield "spec.registry is for weft: node caches trust whom they are told to, by WEFT_REGISTRY_…"
