"""Who may do what. No wildcards, and neither Secrets nor writing outside of what is needed.

The operator works in every namespace: it reads workloads, patches what mounts modules, and keeps its own
objects. Secrets (pull secrets, keys, ``configFrom``) it reads, and ConfigMaps (modules of mode configmap) it
writes only where ``weft-namespace`` is bound to it. The Secrets that it fills in its own namespace are there
from the start, so that it need not be allowed to make any. A node cache reads and writes ConfigMaps there,
and reads the one Secret with what registries want.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from weft.installing.installation import NODE_CACHE, OPERATOR, Installation, Object, made
from weft.mesh import KINDS

__all__ = [
    "REGISTRIES",
    "WEBHOOK",
    "Right",
    "access",
    "bound_in",
    "granting",
    "node_cache_access",
    "operator_rights",
]

NAMESPACE = "weft-namespace"
"""The ClusterRole that may be bound in namespaces, and what the binding is called there."""
WEBHOOK = "weft-webhook"
"""The ValidatingWebhookConfiguration, and the Secret with its certificate."""
REGISTRIES = "weft-registries"
"""The Secret from which node caches have their credentials, and the operator's right to fill it."""

_RBAC = "rbac.authorization.k8s.io"
_API = f"{_RBAC}/v1"
_READ = ("get", "list", "watch")
_KEEP = (*_READ, "create", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Right:
    """To do one thing; everywhere, where no namespace is named."""

    verb: str
    group: str
    resource: str
    """With its subresource."""
    namespace: str = ""
    name: str = ""

    def __str__(self) -> str:
        kind = f"{self.resource}.{self.group}" if self.group else self.resource
        where = f" in {self.namespace}" if self.namespace else ""
        return f"{self.verb} {kind}{f' {self.name}' if self.name else ''}{where}"


def access(installation: Installation) -> tuple[Object, ...]:
    """The operator's account and rights, and what people may be given."""
    granted = [_rule("", ["secrets"], ["get"]), _rule("", ["configmaps"], ["create", "patch", "delete"])]
    return (
        _account(OPERATOR, installation),
        _cluster_role(OPERATOR, _operator_rules()),
        _bound(OPERATOR, "ClusterRole", OPERATOR, installation),
        _role(OPERATOR, OPERATOR, _home_rules(), installation),
        _bound(OPERATOR, "Role", OPERATOR, installation, namespace=installation.namespace),
        _cluster_role(NAMESPACE, granted),
        *(bound_in(namespace, installation) for namespace in installation.secrets_of),
        _for_people("weft-view", _READ, "view"),
        _for_people("weft-edit", ["create", "update", "patch", "delete"], "edit"),
    )


def node_cache_access(installation: Installation) -> tuple[Object, ...]:
    """The node cache's account and rights, and the operator's right to give it credentials."""
    talk = [
        _rule("", ["configmaps"], [*_READ, "create", "patch"]),
        _rule("", ["secrets"], _READ, [REGISTRIES]),
    ]
    fill = [_rule("", ["secrets"], ["get", "patch"], [REGISTRIES])]
    here = installation.namespace
    return (
        _account(NODE_CACHE, installation),
        _role(NODE_CACHE, NODE_CACHE, talk, installation),
        _bound(NODE_CACHE, "Role", NODE_CACHE, installation, namespace=here, account=NODE_CACHE),
        _role(REGISTRIES, NODE_CACHE, fill, installation),
        _bound(REGISTRIES, "Role", REGISTRIES, installation, namespace=here, part=NODE_CACHE),
    )


def bound_in(namespace: str, installation: Installation) -> Object:
    """The operator's rights to Secrets and ConfigMaps of ``namespace``."""
    return _bound(NAMESPACE, "ClusterRole", NAMESPACE, installation, namespace=namespace)


def operator_rights(system: str) -> tuple[Right, ...]:
    """All that the operator of the weft in ``system`` must be allowed."""
    return tuple(
        Right(verb, group, resource, namespace, name)
        for namespace, rules in (("", _operator_rules()), (system, _home_rules()))
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        for name in rule.get("resourceNames") or ("",)
    )


def granting(namespace: str, system: str) -> str:
    """The command that gives the operator of the weft in ``system`` its rights in ``namespace``."""
    role = f"{NAMESPACE} -n {namespace} --clusterrole={NAMESPACE}"
    return f"kubectl create rolebinding {role} --serviceaccount={system}:{OPERATOR}"


def _home_rules() -> list[dict[str, Any]]:
    return [
        _rule("coordination.k8s.io", ["leases"], ["create"]),
        _rule("coordination.k8s.io", ["leases"], ["get", "update"], [OPERATOR]),
        _rule("", ["secrets"], ["get", "update"], [WEBHOOK]),
        # What nodes shall hold and what they do; which nodes have a node cache.
        _rule("", ["configmaps"], _KEEP),
        _rule("", ["pods"], _READ),
    ]


def _operator_rules() -> list[dict[str, Any]]:
    kinds = [(kind.group, kind.plural) for kind in KINDS]
    return [
        # Their metadata has the finalizer and the record of what was done.
        *(_rule(group, [plural], [*_READ, "patch"]) for group, plural in kinds),
        *(_rule(group, [f"{plural}/status"], ["patch"]) for group, plural in kinds),
        _rule("apps", ["deployments", "daemonsets", "statefulsets"], [*_READ, "patch"]),
        # Records of what people deployed, and values for configFrom.
        _rule("", ["configmaps"], _READ),
        _rule("networking.istio.io", ["envoyfilters"], _KEEP),
        _rule("extensions.istio.io", ["wasmplugins", "trafficextensions"], _KEEP),
        _rule("gateway.envoyproxy.io", ["envoyextensionpolicies"], _KEEP),
        _rule("gateway.solo.io", ["gateways"], [*_READ, "patch"]),
        _rule("events.k8s.io", ["events"], ["create"]),
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


def _account(name: str, installation: Installation) -> Object:
    return made("v1", "ServiceAccount", name, part=name, namespace=installation.namespace)


def _role(name: str, part: str, rules: list[dict[str, Any]], installation: Installation) -> Object:
    return made(_API, "Role", name, part=part, namespace=installation.namespace, rules=rules)


def _cluster_role(name: str, rules: list[dict[str, Any]]) -> Object:
    return made(_API, "ClusterRole", name, part=OPERATOR, rules=rules)


def _for_people(name: str, verbs: Sequence[str], role: str) -> Object:
    """Rights to the custom resources, added to Kubernetes' own role of that name and those above it."""
    rules = [_rule(kind.group, [kind.plural], verbs) for kind in KINDS]
    held = made(_API, "ClusterRole", name, part=OPERATOR, rules=rules)
    held["metadata"]["labels"][f"{_RBAC}/aggregate-to-{role}"] = "true"
    return held


def _bound(
    name: str,
    kind: str,
    role: str,
    installation: Installation,
    *,
    namespace: str = "",
    account: str = OPERATOR,
    part: str = "",
) -> Object:
    """A binding of a role to an account of ours, the operator's mostly; everywhere, without ``namespace``."""
    return made(
        _API,
        "RoleBinding" if namespace else "ClusterRoleBinding",
        name,
        part=part or account,
        namespace=namespace,
        roleRef={"apiGroup": _RBAC, "kind": kind, "name": role},
        subjects=[{"kind": "ServiceAccount", "name": account, "namespace": installation.namespace}],
    )
