"""What both our pods are: as little as they need, watched, on Linux nodes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from weft.installing.installation import Installation, labels

__all__ = ["Program", "template"]

# Where the program may write: everything else is read only.
_SCRATCH = {"name": "scratch", "mountPath": "/tmp"}  # noqa: S108 - in a container of its own
_HOME = {"name": "WEFT_HOME", "value": "/tmp/weft"}  # noqa: S108


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """A ``weft serve`` as a container; ``http`` is its port for health and metrics."""

    name: str
    arguments: Sequence[str]
    http: int
    ready: str
    resources: Mapping[str, Any]
    ports: Mapping[str, int] = field(default_factory=dict)
    env: Sequence[Mapping[str, Any]] = ()
    user: int
    mounts: Sequence[Mapping[str, Any]] = ()
    volumes: Sequence[Mapping[str, Any]] = ()


def template(program: Program, installation: Installation, **spec: Any) -> dict[str, Any]:
    """The pod template of ``program``; ``spec`` is laid over the pod's."""
    annotations = {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(program.http),
        "prometheus.io/path": "/metrics",
    }
    return {
        "metadata": {"labels": labels(program.name), "annotations": annotations},
        "spec": {
            "serviceAccountName": program.name,
            "imagePullSecrets": [],
            "nodeSelector": {"kubernetes.io/os": "linux"},
            "securityContext": {
                "runAsUser": program.user,
                "runAsGroup": program.user,
                "runAsNonRoot": program.user != 0,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "containers": [_container(program, installation)],
            "volumes": [{"name": "scratch", "emptyDir": {}}, *program.volumes],
            **spec,
        },
    }


def _container(program: Program, installation: Installation) -> dict[str, Any]:
    ports = {"http": program.http, **program.ports}
    address = {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
    return {
        "name": program.name.removeprefix("weft-"),
        "image": installation.image,
        "command": ["weft"],
        "args": ["serve", *program.arguments],
        "env": [address, _HOME, *program.env],
        "ports": [{"name": name, "containerPort": port} for name, port in ports.items()],
        "livenessProbe": _probe("/healthz", failures=6),
        "readinessProbe": _probe(program.ready, failures=3),
        "resources": program.resources,
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [_SCRATCH, *program.mounts],
    }


def _probe(path: str, *, failures: int) -> dict[str, Any]:
    return {
        "httpGet": {"path": path, "port": "http"},
        "periodSeconds": 10,
        "timeoutSeconds": 5,
        "failureThreshold": failures,
    }
