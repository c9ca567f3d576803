"""The operator: one that acts at a time, chosen by a Lease, and the webhook that it answers.

The webhook tells people at once what the operator would say in a status a moment later. Nothing is unsafe
without it, so it fails open: an operator that is down never stands in anybody's way. Its certificate is made
by the operator, kept in the Secret ``weft-webhook`` and put into the configuration's ``caBundle``.
"""

from typing import Any

from weft.installing.access import WEBHOOK
from weft.installing.installation import OPERATOR, Installation, Object, made, selector
from weft.installing.pods import Program, template
from weft.mesh import KINDS

__all__ = ["WEBHOOK_ENTRY", "operator", "webhook_host"]

WEBHOOK_ENTRY = "filterdeployments.weft.dev"

_HTTP = 9978
_WEBHOOK_PORT = 8443
# Idle it is small; trying a config compiles the module, and large ones need some hundred MB.
_RESOURCES = {"requests": {"cpu": "50m", "memory": "64Mi"}, "limits": {"memory": "512Mi"}}
_SELECTED = selector(OPERATOR)
# Not root and nobody's: a number that no file of a node belongs to.
_USER = 65532


def operator(installation: Installation) -> tuple[Object, ...]:
    """Its Secret, Service, Deployment and webhook."""
    namespace = installation.namespace
    return (
        made("v1", "Secret", WEBHOOK, part=OPERATOR, namespace=namespace, type="Opaque"),
        made(
            "v1",
            "Service",
            OPERATOR,
            part=OPERATOR,
            namespace=namespace,
            spec={
                "selector": _SELECTED,
                "ports": [
                    {"name": "webhook", "port": 443, "targetPort": "webhook", "appProtocol": "https"},
                    {"name": "http", "port": _HTTP, "targetPort": "http", "appProtocol": "http"},
                ],
            },
        ),
        made(
            "apps/v1",
            "Deployment",
            OPERATOR,
            part=OPERATOR,
            namespace=namespace,
            spec={
                "replicas": 1,
                "selector": {"matchLabels": _SELECTED},
                "template": template(_program(installation), installation),
            },
        ),
        _webhook(installation),
    )


def webhook_host(installation: Installation) -> str:
    """The name for which the webhook's certificate must be good."""
    return f"{OPERATOR}.{installation.namespace}.svc"


def _program(installation: Installation) -> Program:
    return Program(
        name=OPERATOR,
        arguments=(
            "operator",
            f"--cache-namespace={installation.namespace}",
            "--address=$(POD_IP)",
            f"--port={_HTTP}",
            f"--webhook-port={_WEBHOOK_PORT}",
        ),
        http=_HTTP,
        ready="/readyz",
        ports={"webhook": _WEBHOOK_PORT},
        env=({"name": "POD_NAME", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},),
        resources=_RESOURCES,
        user=_USER,
    )


def _webhook(installation: Installation) -> dict[str, Any]:
    service = {"name": OPERATOR, "namespace": installation.namespace, "path": "/validate", "port": 443}
    rules = [
        {
            "apiGroups": [kind.group],
            "apiVersions": [kind.version],
            "resources": [kind.plural],
            "operations": ["CREATE", "UPDATE"],
            "scope": "Namespaced",
        }
        for kind in KINDS
    ]
    entry = {
        "name": WEBHOOK_ENTRY,
        "clientConfig": {"service": service},
        "rules": rules,
        "failurePolicy": "Ignore",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
        "timeoutSeconds": 5,
    }
    return made(
        "admissionregistration.k8s.io/v1",
        "ValidatingWebhookConfiguration",
        WEBHOOK,
        part=OPERATOR,
        webhooks=[entry],
    )
