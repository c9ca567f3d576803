"""The node cache: one on every node, told by a ConfigMap, heard over HTTP.

It runs as root without any capability, because the kubelet makes the folder on the node for root. It never
speaks to the API. Ready means that it answers: one image that cannot be had must not take away the others.
"""

from weft.installing.access import node_cache_access
from weft.installing.installation import NODE_CACHE, Installation, Object, made
from weft.installing.pods import Program, template

__all__ = ["node_cache"]

_HTTP = 9979
_FOLDER = "/var/local/lib/wasme-cache"
_LIST = "/etc/weft/images"
_REGISTRIES = "/etc/weft/registries"
_RESOURCES = {"requests": {"cpu": "10m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}}
_SELECTED = {"app.kubernetes.io/name": "weft", "app.kubernetes.io/component": "node-cache"}


def node_cache(installation: Installation) -> tuple[Object, ...]:
    """Its account, what it is told, its Service and its DaemonSet."""
    namespace = installation.namespace
    return (
        *node_cache_access(installation),
        # The operator fills both; what it puts there stays when the installation is applied again.
        made("v1", "ConfigMap", NODE_CACHE, component="node-cache", namespace=namespace),
        made("v1", "Secret", NODE_CACHE, component="node-cache", namespace=namespace, type="Opaque"),
        made(
            "v1",
            "Service",
            NODE_CACHE,
            component="node-cache",
            namespace=namespace,
            spec={
                "selector": _SELECTED,
                # A proxy asks the node cache of its own node.
                "internalTrafficPolicy": "Local",
                "ports": [{"name": "http", "port": _HTTP, "targetPort": "http", "appProtocol": "http"}],
            },
        ),
        made(
            "apps/v1",
            "DaemonSet",
            NODE_CACHE,
            component="node-cache",
            namespace=namespace,
            spec={
                "selector": {"matchLabels": _SELECTED},
                "template": template(
                    _program(),
                    installation,
                    # Wherever proxies run, and before them.
                    tolerations=[{"operator": "Exists"}],
                    priorityClassName="system-node-critical",
                ),
            },
        ),
    )


def _program() -> Program:
    return Program(
        name=NODE_CACHE,
        arguments=(
            "node-cache",
            f"--directory={_FOLDER}",
            f"--ref-file={_LIST}/images.txt",
            "--node=$(NODE_NAME)",
            "--address=$(POD_IP)",
            f"--port={_HTTP}",
        ),
        http=_HTTP,
        ready="/healthz",
        env=(
            {"name": "NODE_NAME", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}},
            {"name": "DOCKER_CONFIG", "value": _REGISTRIES},
        ),
        resources=_RESOURCES,
        user=0,
        mounts=(
            {"name": "modules", "mountPath": _FOLDER},
            {"name": "images", "mountPath": _LIST, "readOnly": True},
            {"name": "registries", "mountPath": _REGISTRIES, "readOnly": True},
        ),
        volumes=(
            {"name": "modules", "hostPath": {"path": _FOLDER, "type": "DirectoryOrCreate"}},
            {"name": "images", "configMap": {"name": NODE_CACHE}},
            {"name": "registries", "secret": {"secretName": NODE_CACHE}},
        ),
    )
