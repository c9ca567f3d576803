"""The operator over HTTP: probes and metrics, and the webhook that the API asks about new resources.

::

    GET  /healthz    200 while the process lives
    GET  /readyz     200 when it works, or waits for its turn
    GET  /metrics    for Prometheus
    POST /validate   an AdmissionReview (admission.k8s.io/v1); over TLS, on a port of its own
"""

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from weft.errors import WeftError
from weft.mesh import import_document
from weft.operator.counting import CONTENT_TYPE, metrics
from weft.operator.operator import Operator

if TYPE_CHECKING:
    from aiohttp import web

__all__ = ["app", "judge", "webhook"]

# The API sends no larger objects.
_MAX_REVIEW = 8 * 1024 * 1024


def app(at_work: Callable[[], Operator | None]) -> "web.Application":
    """Probes and metrics; ``at_work`` gives the operator while it is its turn."""
    from aiohttp import web

    async def alive(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def ready(_: web.Request) -> web.Response:
        operator = at_work()
        works = operator is None or operator.ready
        return web.Response(text="ready\n" if works else "not ready\n", status=200 if works else 503)

    async def counted(_: web.Request) -> web.Response:
        return web.Response(body=metrics(at_work()).encode(), headers={"Content-Type": CONTENT_TYPE})

    application = web.Application()
    application.add_routes(
        [web.get("/healthz", alive), web.get("/readyz", ready), web.get("/metrics", counted)]
    )
    return application


def webhook() -> "web.Application":
    """What the API asks."""
    from aiohttp import web

    async def validate(request: web.Request) -> web.Response:
        try:
            return web.json_response(judge(json.loads(await request.read())))
        except (ValueError, LookupError, TypeError, AttributeError):
            return web.Response(text="not an AdmissionReview\n", status=400)

    application = web.Application(client_max_size=_MAX_REVIEW)
    application.add_routes([web.post("/validate", validate)])
    return application


def judge(review: Mapping[str, Any]) -> dict[str, Any]:
    """The answer to ``review``: a resource that cannot be read as an intent is refused, with the reason.

    Raises ``LookupError``, ``TypeError`` or ``AttributeError`` for what is no AdmissionReview.
    """
    request = review["request"]
    answer: dict[str, Any] = {"uid": request["uid"], "allowed": True}
    held = request.get("object")
    leaving = held is not None and held["metadata"].get("deletionTimestamp")
    if held is not None and not leaving:
        try:
            answer["warnings"] = list(import_document(held, where=request["kind"]["kind"]).notes)
        except WeftError as error:
            message = f"{error} ({error.hint})" if error.hint else str(error)
            answer |= {"allowed": False, "status": {"code": 422, "reason": "Invalid", "message": message}}
    return {"apiVersion": review["apiVersion"], "kind": "AdmissionReview", "response": answer}
