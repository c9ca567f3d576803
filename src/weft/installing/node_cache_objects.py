"""The node cache: one on every node; it reads in ConfigMaps what filters need, and says there what it holds.

It runs as root without any capability, because the kubelet makes the folder on the node for root. Ready means
that it answers: one image that cannot be had must not take away the others.
"""

from weft.installing.access import REGISTRIES, node_cache_access
from weft.installing.installation import NODE_CACHE, Installation, Object, made, selector
from weft.installing.pods import Program, template

__all__ = ["node_cache"]

_HTTP = 9979
_FOLDER = "/var/local/lib/wasme-cache"
_RESOURCES = {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}}
_SELECTED = selector(NODE_CACHE)


def node_cache(installation: Installation) -> tuple[Object, ...]:
    """Its account and rights, its credentials, its Service and its DaemonSet."""
    namespace = installation.namespace
    service = {
        "selector": _SELECTED,
        # A proxy asks the node cache of its own node.
        "internalTrafficPolicy": "Local",
        "ports": [{"name": "http", "port": _HTTP, "targetPort": "http", "appProtocol": "http"}],
    }
    pods = {
        "selector": {"matchLabels": _SELECTED},
        "template": template(
            _program(installation),
            installation,
            # Wherever proxies run, and before them.
            tolerations=[{"operator": "Exists"}],
            priorityClassName="system-node-critical",
        ),
    }
    return (
        *node_cache_access(installation),
        # What the operator, or somebody, puts into it stays when the installation is applied again. It is not
        # mounted: a kubelet brings changes a minute later, the API at once.
        made("v1", "Secret", REGISTRIES, part=NODE_CACHE, namespace=namespace, type="Opaque"),
        made("v1", "Service", NODE_CACHE, part=NODE_CACHE, namespace=namespace, spec=service),
        made("apps/v1", "DaemonSet", NODE_CACHE, part=NODE_CACHE, namespace=namespace, spec=pods),
    )


def _program(installation: Installation) -> Program:
    more = ((f"modules-{number}", path) for number, path in enumerate(installation.folders, 2))
    folders = (("modules", _FOLDER), *more)
    return Program(
        name=NODE_CACHE,
        arguments=(
            "node-cache",
            "--cluster",
            f"--cache-namespace={installation.namespace}",
            f"--directory={_FOLDER}",
            *(f"--also-directory={path}" for path in installation.folders),
            "--node=$(NODE_NAME)",
            "--address=$(POD_IP)",
            f"--port={_HTTP}",
        ),
        http=_HTTP,
        ready="/healthz",
        env=({"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},),
        resources=_RESOURCES,
        user=0,
        mounts=tuple({"name": name, "mountPath": path} for name, path in folders),
        volumes=tuple(
            {"name": name, "hostPath": {"path": path, "type": "DirectoryOrCreate"}} for name, path in folders
        ),
    )
