"""What is said of an installation that does not come, or does not go."""

from typing import Any

import pytest

from weft.kube import Ref
from weft.workflows.installing.install import _why_not_served
from weft.workflows.installing.outcome import Outcome, is_ours
from weft.workflows.installing.uninstall import _listed


def condition(kind: str, status: str, message: str = "") -> dict[str, str]:
    return {"type": kind, "status": status, "message": message}


@pytest.mark.parametrize(
    ("conditions", "why"),
    [
        pytest.param(None, "not established yet", id="nobody has looked at it"),
        pytest.param([condition("NamesAccepted", "True")], "not established yet", id="names accepted"),
        pytest.param(
            [
                condition("NamesAccepted", "False", '"wfd" is already in use'),
                condition("Established", "True"),
            ],
            '"wfd" is already in use',
            id="a name is somebody else's",
        ),
        pytest.param(
            [condition("NamesAccepted", "True"), condition("Established", "True")], "", id="established"
        ),
    ],
)
def test_a_definition_is_served_when_the_api_says_so(conditions: Any, why: str) -> None:
    assert _why_not_served({"status": {"conditions": conditions}}) == why
    assert _why_not_served({}) == "not established yet"


@pytest.mark.parametrize(
    ("count", "text"),
    [
        pytest.param(1, "a0", id="one"),
        pytest.param(10, "a0, a1, a2, a3, a4, a5, a6, a7, a8, a9", id="ten"),
        pytest.param(12, "a0, a1, a2, a3, a4, a5, a6, a7, a8, a9 and 2 more", id="a crowd"),
    ],
)
def test_a_crowd_is_cut_short(count: int, text: str) -> None:
    assert _listed(f"a{number}" for number in range(count)) == text


@pytest.mark.parametrize(
    ("labels", "ours"),
    [
        ({"app.kubernetes.io/part-of": "weft", "more": "a"}, True),
        ({"app.kubernetes.io/part-of": "istio"}, False),
        ({"app.kubernetes.io/name": "weft"}, False),
        (None, False),
    ],
)
def test_what_is_ours_has_our_mark(labels: Any, *, ours: bool) -> None:
    assert is_ours({"metadata": {"labels": labels}}) == ours


def test_an_outcome_names_its_object_whole() -> None:
    outcome = Outcome(Ref("apps/v1", "Deployment", "weft-operator", "weft-system"), "made")
    assert outcome.document() == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "namespace": "weft-system",
        "name": "weft-operator",
        "done": "made",
    }
