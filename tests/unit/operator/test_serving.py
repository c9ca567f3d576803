"""What the webhook answers the API."""

from typing import Any

import pytest

from weft.operator.serving import judge


def review(held: Any) -> dict[str, Any]:
    request = {"uid": "u", "kind": {"kind": "FilterDeployment"}, "object": held}
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}


def resource(**more: Any) -> dict[str, Any]:
    return {
        "apiVersion": "weft.dev/v1alpha1",
        "kind": "FilterDeployment",
        "metadata": {"name": "f", "namespace": "shop"},
        "spec": {"image": "hub/f:v1"},
        **more,
    }


GOING = {"name": "f", "deletionTimestamp": "2026-11-21T07:00:00Z"}


@pytest.mark.parametrize(
    "held",
    [
        pytest.param(resource(), id="good"),
        pytest.param(None, id="deleted"),
        pytest.param(resource(metadata=GOING, spec={"colour": "red"}), id="on its way out, whatever it says"),
    ],
)
def test_it_may_pass(held: Any) -> None:
    answer = judge(review(held))
    assert (answer["apiVersion"], answer["kind"]) == ("admission.k8s.io/v1", "AdmissionReview")
    assert (answer["response"]["uid"], answer["response"]["allowed"]) == ("u", True)


def test_it_may_not_and_why() -> None:
    answer = judge(review(resource(spec={"image": "hub/f:v1", "confg": {}})))["response"]
    assert (answer["allowed"], answer["status"]["code"]) == (False, 422)
    assert "FilterDeployment" in answer["status"]["message"]
    assert "spec.confg" in answer["status"]["message"]


@pytest.mark.parametrize(
    "held", [{}, {"request": None}, {"request": {}}, {"request": {"uid": "u", "object": []}}]
)
def test_what_is_no_review(held: Any) -> None:
    with pytest.raises((LookupError, TypeError, AttributeError)):
        judge(held)
