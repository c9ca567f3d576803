"""Kubernetes Events: what a user must know of a resource, once, when it changes."""

import socket
from datetime import UTC, datetime
from functools import cache

from weft.errors import WeftError
from weft.kube import Kube, Object, Ref

__all__ = ["report_event"]

_API = "events.k8s.io/v1"
_CONTROLLER = "weft.dev/operator"
# events.k8s.io/v1 takes no more.
_MAX_NOTE = 1024


async def report_event(kube: Kube, about: Object, kind: str, action: str, reason: str, note: str) -> None:
    """Say ``note`` about an object; ``kind`` is Normal or Warning. When it cannot be said, it is not."""
    ref = Ref.of(about)
    regarding = {
        "apiVersion": ref.api_version,
        "kind": ref.kind,
        "name": ref.name,
        "namespace": ref.namespace,
        "uid": about["metadata"].get("uid", ""),
        "resourceVersion": about["metadata"].get("resourceVersion", ""),
    }
    event = {
        "apiVersion": _API,
        "kind": "Event",
        "metadata": {"generateName": f"{ref.name}.", "namespace": ref.namespace},
        "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "reportingController": _CONTROLLER,
        "reportingInstance": _host(),
        "action": action,
        "reason": reason,
        "regarding": regarding,
        "note": note[:_MAX_NOTE],
        "type": kind,
    }
    try:
        await kube.create(event)
    except WeftError:
        return


@cache
def _host() -> str:
    return socket.gethostname()[:128] or "weft"
