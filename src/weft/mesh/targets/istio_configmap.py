"""Istio of any version, without a node cache: the module is in a ConfigMap that pods mount.

The ConfigMap is named by the module and never changes: the kubelet brings a changed one to pods minutes later
and nobody learns when, so a proxy would be told of a file that is not there yet. So each new module costs one
restart of the pods, and a finished rollout means that every proxy has the file.
"""

import base64

from weft.mesh.intent.intent import Intent, IstioTarget
from weft.mesh.istio.envoyfilter import why_not
from weft.mesh.istio.mounted import Folder, filter_steps, mount_steps
from weft.mesh.istio.root import root_notes
from weft.mesh.istio.version import istio_version
from weft.mesh.plan.facts import Facts
from weft.mesh.plan.limits import limits, refuse
from weft.mesh.plan.objects import apply_and_delete, labelled, new_object, object_name
from weft.mesh.plan.plan import Plan

__all__ = ["MAX_MODULE", "plan_configmap"]

MAX_MODULE = 1024 * 1024
"""All that a ConfigMap may hold (Kubernetes, ``MaxSecretSize``)."""

_TARGET = "istio/configmap"
_SHORT = 12
# Not below the node cache's folder: that one belongs to the node.
_FOLDERS = "/var/local/lib/weft-modules"


def plan_configmap(intent: Intent, facts: Facts, istio: IstioTarget) -> Plan:
    """Raises ``PlanRefused`` for what this way cannot do."""
    reasons = [
        *limits(_TARGET, intent, facts, lacks=("targetRefs",), restricts=True),
        *why_not(intent, istio_version(istio, facts)),
    ]
    module = facts.module
    content = b"" if module is None or module.content is None else module.content
    if not content:
        reasons.append("the module itself is needed, and the image was not looked into")
    if len(content) > MAX_MODULE:
        reasons.append(f"the module has {len(content)} bytes; a ConfigMap holds at most {MAX_MODULE}")
    refuse(_TARGET, reasons)
    assert module is not None  # noqa: S101 - refused above
    name = object_name(intent.metadata.name, module.sha256[:_SHORT])
    data = {module.sha256: base64.b64encode(content).decode()}
    held = new_object("v1", "ConfigMap", name, intent, immutable=True, binaryData=data)
    held = labelled(held, intent, str(facts.image))
    create, delete = apply_and_delete(held, why="pods cannot mount what is not there", gone="last")
    # Beside others of its kind: each filter has a folder of its own.
    volume = object_name(intent.metadata.name)[:63].strip("-.").replace(".", "-")
    folder = Folder(volume, f"{_FOLDERS}/{volume}", {"configMap": {"name": name}})
    mounts = list(mount_steps(intent, facts, folder))
    filters = list(filter_steps(intent, facts, istio, f"{folder.path}/{module.sha256}"))
    return Plan(
        filter_id=intent.filter_id,
        target=_TARGET,
        steps=(create, *(on for on, _ in mounts), *(on for on, _ in filters)),
        removal=(
            *(off for _, off in reversed(filters)),
            *(off for _, off in reversed(mounts) if off),
            delete,
        ),
        reasons=(
            "needs no node cache; every new version of the module restarts the pods once",
            *root_notes(intent, facts, istio),
        ),
    )
