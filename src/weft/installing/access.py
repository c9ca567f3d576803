"""Who may do what. No wildcards, and no Secret outside the installation's own namespace.

The operator works in every namespace, but Secrets (pull secrets, keys, ``configFrom``) it reads only where
``weft-namespace`` is bound to it; writing ConfigMaps goes with that. What it fills in its own namespace is
there from the start, so that it need not be allowed to make any Secret. The node cache has no rights at all.
"""

from collections.abc import Sequence
from typing import Any

from weft.installing.installation import NODE_CACHE, OPERATOR, Installation, Object, made
from weft.installing.kinds import KINDS

__all__ = ["NAMESPACE_ROLE", "WEBHOOK", "access", "bound_in", "node_cache_access"]

NAMESPACE_ROLE = "weft-namespace"
WEBHOOK = "weft-webhook"
"""The ValidatingWebhookConfiguration, and the Secret with its certificate."""

_RBAC = "rbac.authorization.k8s.io"
_API = f"{_RBAC}/v1"
_READ = ("get", "list", "watch")
_KEEP = (*_READ, "create", "patch", "delete")


def access(installation: Installation) -> tuple[Object, ...]:
    """The operator's account and rights, and what people may be given."""
    return (
        account(OPERATOR, installation, token=True),
        _cluster_role(OPERATOR, _operator_rules()),
        _bound(OPERATOR, "ClusterRole", OPERATOR, installation),
        made(
            _API,
            "Role",
            OPERATOR,
            component="operator",
            namespace=installation.namespace,
            rules=[
                _rule("coordination.k8s.io", ["leases"], ["create"]),
                _rule("coordination.k8s.io", ["leases"], ["get", "update"], [OPERATOR]),
                _rule("", ["secrets"], ["get", "patch"], [WEBHOOK]),
            ],
        ),
        _bound(OPERATOR, "Role", OPERATOR, installation, namespace=installation.namespace),
        _cluster_role(
            NAMESPACE_ROLE, [_rule("", ["secrets"], ["get"]), _rule("", ["configmaps"], list(_KEEP))]
        ),
        *(bound_in(namespace, installation) for namespace in installation.secrets_of),
        _for_people("weft-view", list(_READ), "view"),
        _for_people("weft-edit", ["create", "update", "patch", "delete"], "edit"),
    )


def node_cache_access(installation: Installation) -> tuple[Object, ...]:
    """The node cache's account, and the operator's rights to what the node cache is told."""
    rules = [
        _rule("", ["configmaps"], ["get", "patch"], [NODE_CACHE]),
        _rule("", ["secrets"], ["get", "patch"], [NODE_CACHE]),
    ]
    namespace = installation.namespace
    return (
        account(NODE_CACHE, installation, token=False),
        made(_API, "Role", NODE_CACHE, component="node-cache", namespace=namespace, rules=rules),
        _bound(NODE_CACHE, "Role", NODE_CACHE, installation, namespace=namespace, component="node-cache"),
    )


def bound_in(namespace: str, installation: Installation) -> Object:
    """The operator's rights to Secrets and ConfigMaps of ``namespace``."""
    return _bound(NAMESPACE_ROLE, "ClusterRole", NAMESPACE_ROLE, installation, namespace=namespace)


def account(name: str, installation: Installation, *, token: bool) -> Object:
    """A service account; without ``token`` its pods cannot speak to the API."""
    return made(
        "v1",
        "ServiceAccount",
        name,
        component=name.removeprefix("weft-"),
        namespace=installation.namespace,
        automountServiceAccountToken=token,
    )


def _operator_rules() -> list[dict[str, Any]]:
    kinds = [(kind.group, kind.plural) for kind in KINDS]
    return [
        # Metadata is patched for finalizers; the finalizers subresource lets us own what we make.
        *(_rule(group, [plural], [*_READ, "patch"]) for group, plural in kinds),
        *(_rule(group, [f"{plural}/status"], ["get", "patch"]) for group, plural in kinds),
        *(_rule(group, [f"{plural}/finalizers"], ["update"]) for group, plural in kinds),
        _rule("apps", ["deployments", "daemonsets", "statefulsets"], [*_READ, "patch"]),
        _rule("", ["pods"], list(_READ)),
        _rule("networking.istio.io", ["envoyfilters"], list(_KEEP)),
        _rule("extensions.istio.io", ["wasmplugins", "trafficextensions"], list(_KEEP)),
        _rule("gateway.envoyproxy.io", ["envoyextensionpolicies"], list(_KEEP)),
        # A list that belongs to everybody: read, changed, and put back if nobody was faster.
        _rule("gateway.solo.io", ["gateways"], [*_READ, "update"]),
        _rule("events.k8s.io", ["events"], ["create", "patch"]),
        _rule(
            "admissionregistration.k8s.io", ["validatingwebhookconfigurations"], ["get", "patch"], [WEBHOOK]
        ),
    ]


def _rule(
    group: str, resources: Sequence[str], verbs: Sequence[str], names: Sequence[str] = ()
) -> dict[str, Any]:
    rule: dict[str, Any] = {"apiGroups": [group], "resources": list(resources)}
    rule |= {"resourceNames": list(names)} if names else {}
    return rule | {"verbs": list(verbs)}


def _cluster_role(name: str, rules: list[dict[str, Any]]) -> Object:
    return made(_API, "ClusterRole", name, component="operator", rules=rules)


def _for_people(name: str, verbs: list[str], role: str) -> Object:
    """Rights to the custom resources, added to Kubernetes' own role of that name and those above it."""
    held = made(
        _API,
        "ClusterRole",
        name,
        component="operator",
        rules=[_rule(kind.group, [kind.plural], verbs) for kind in KINDS],
    )
    held["metadata"]["labels"][f"{_RBAC}/aggregate-to-{role}"] = "true"
    return held


def _bound(
    name: str,
    kind: str,
    role: str,
    installation: Installation,
    *,
    namespace: str = "",
    component: str = "operator",
) -> Object:
    subject = {"kind": "ServiceAccount", "name": OPERATOR, "namespace": installation.namespace}
    return made(
        _API,
        "RoleBinding" if namespace else "ClusterRoleBinding",
        name,
        component=component,
        namespace=namespace,
        roleRef={"apiGroup": _RBAC, "kind": kind, "name": role},
        subjects=[subject],
    )
