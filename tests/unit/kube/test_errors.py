"""A Status of the API as one of our errors."""

from typing import Any

import pytest

from weft.kube import Conflict, Denied, Expired, KubeError, Missing
from weft.kube.errors import refusal

LOG_IN = "the credential is not, or no longer, good: log in again"


def told(code: int, message: str, reason: str = "", **details: Any) -> dict[str, Any]:
    return {"kind": "Status", "code": code, "message": message, "reason": reason, "details": details}


@pytest.mark.parametrize(
    ("status", "kind", "message", "hint", "temporary"),
    [
        pytest.param(
            told(404, 'pods "x" not found', "NotFound"), Missing, 'pods "x" not found', None, False, id="404"
        ),
        pytest.param(told(401, "Unauthorized"), Denied, "Unauthorized", LOG_IN, False, id="401"),
        pytest.param(told(403, "no rights", "Forbidden"), Denied, "no rights", None, False, id="403"),
        pytest.param(told(410, "too old", "Expired"), Expired, "too old", None, False, id="410"),
        pytest.param(told(400, "too old", "Expired"), Expired, "too old", None, False, id="by its reason"),
        pytest.param(told(409, "modified", "Conflict"), Conflict, "modified", None, False, id="409"),
        pytest.param(
            told(409, "exists", "AlreadyExists"), KubeError, "exists", None, False, id="409 of a create"
        ),
        pytest.param(told(422, "spec: bad", "Invalid"), KubeError, "spec: bad", None, False, id="422"),
        pytest.param(told(429, "slow", "TooManyRequests"), KubeError, "slow", None, True, id="429"),
        pytest.param(told(500, "etcd", "InternalError"), KubeError, "etcd", None, True, id="500"),
        pytest.param(told(503, "starting"), KubeError, "starting", None, True, id="503"),
        pytest.param(told(504, "slow", "Timeout"), KubeError, "slow", None, True, id="504"),
        pytest.param(
            told(400, "two\n  lines\x1b[31m and\ttabs"), KubeError, "two lines [31m and tabs", None, False,
            id="one line",
        ),
        pytest.param({"code": 502}, KubeError, "status 502", None, True, id="without words"),
    ],
)  # fmt: skip
def test_each_refusal_has_its_error(
    status: dict[str, Any], kind: type[KubeError], message: str, hint: str | None, temporary: bool
) -> None:
    error = refusal("get Pod a/x", status, status["code"])
    assert type(error) is kind
    assert (str(error), error.hint) == (f"get Pod a/x: {message}", hint)
    assert (error.temporary, error.reason) == (temporary, status.get("reason", ""))
    assert error.code == (410 if kind is Expired else status["code"])


def cause(field: str, message: str, reason: str = "FieldManagerConflict") -> dict[str, str]:
    return {"reason": reason, "message": message, "field": field}


def test_a_conflict_names_each_field_and_its_manager() -> None:
    causes = [
        cause(".spec.replicas", 'conflict with "kubectl-edit" using apps/v1 at 2026-11-21T07:00:00Z'),
        cause(".metadata.labels.a", 'conflict with "helm"'),
        cause(".metadata.labels.b", "conflict with somebody"),
        cause(".x", "something else", "FieldValueInvalid"),
    ]
    error = refusal(
        "apply Deployment a/x", told(409, "Apply failed with 3 conflicts", "Conflict", causes=causes)
    )
    assert isinstance(error, Conflict)
    assert str(error) == (
        "apply Deployment a/x: .spec.replicas belongs to kubectl-edit, .metadata.labels.a belongs to helm, "
        ".metadata.labels.b belongs to conflict with somebody"
    )
    assert error.fields[:2] == ((".spec.replicas", "kubectl-edit"), (".metadata.labels.a", "helm"))


@pytest.mark.parametrize(
    ("details", "header", "wait"),
    [
        pytest.param({"retryAfterSeconds": 3}, 0.0, 3.0, id="in the body"),
        pytest.param({}, 2.0, 2.0, id="in the header"),
        pytest.param({"retryAfterSeconds": 1}, 5.0, 5.0, id="the longer"),
        pytest.param({"retryAfterSeconds": "soon"}, 0.0, 0.0, id="no number"),
    ],
)
def test_how_long_to_stay_away(details: dict[str, Any], header: float, wait: float) -> None:
    assert refusal("list pods", told(429, "slow", **details), wait=header).wait == wait


@pytest.mark.parametrize(
    "status",
    [
        None, "text", [], 7, {"details": []}, {"details": {"causes": 7}}, {"code": "409"},
        {"details": {"causes": ["x", None]}}, {"message": ["x"], "reason": {}},
    ],
)  # fmt: skip
def test_any_answer_is_some_error(status: object) -> None:
    error = refusal("apply Pod x", status, 409)
    assert isinstance(error, Conflict)
    assert str(error).startswith("apply Pod x: ")
    assert error.fields == ()
