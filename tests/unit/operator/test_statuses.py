"""Outcomes in the status of each kind, and what is kept of the status that was there."""

from typing import Any

import pytest

from weft.errors import WeftError
from weft.mesh import API_VERSION, Workload
from weft.operator.outcome import Outcome, Stage
from weft.operator.statuses import new_status, ready_condition

NOW = "2026-11-21T07:00:00Z"
IMAGE = f"oci://hub/f:v1@sha256:{'1' * 64}"
DETAILS = Workload(kind="Deployment", name="details", namespace="shop")
GOOD = Outcome(generation=2, image=IMAGE, workloads=(DETAILS,))
BAD = Outcome(
    generation=3,
    stage=Stage.PROGRAMMED,
    error=WeftError("no\nluck", hint="try again", detail="  of others "),
    image=IMAGE,
    workloads=(DETAILS,),
)


def own(**status: Any) -> dict[str, Any]:
    return {"apiVersion": API_VERSION, "kind": "FilterDeployment", "metadata": {}, "status": status}


def test_a_condition_that_stays_as_it_is_keeps_its_time() -> None:
    first = new_status(own(), GOOD, NOW)
    later = new_status(own(**first), BAD, "later")
    times = {one["type"]: one["lastTransitionTime"] for one in later["conditions"]}
    assert {name for name, time in times.items() if time == "later"} == {"Programmed", "Ready"}
    assert {one["observedGeneration"] for one in later["conditions"]} == {3}


def test_all_that_is_wrong_is_one_line() -> None:
    status = new_status(own(), BAD, NOW)
    assert ready_condition(status) == ("False", "WeftError", "no luck; try again; of others")
    assert status["workloads"] == [
        {
            "kind": "Deployment",
            "name": "details",
            "state": "Pending",
            "digest": f"sha256:{'1' * 64}",
            "message": "no\nluck",
        }
    ]


def test_a_registry_that_is_away_is_said_where_the_image_is() -> None:
    status = new_status(own(), Outcome(generation=1, image=IMAGE, stale="hub is away"), NOW)
    [resolved] = [one for one in status["conditions"] if one["type"] == "Resolved"]
    assert (resolved["status"], resolved["reason"], resolved["message"]) == ("True", "Stale", "hub is away")
    assert ready_condition(status)[0] == "True"


def test_the_image_that_was_known_stays_where_none_can_be_resolved() -> None:
    away = Outcome(generation=2, stage=Stage.RESOLVED, error=WeftError("away"))
    assert new_status(own(resolvedImage=IMAGE), away, NOW)["resolvedImage"] == IMAGE
    assert "resolvedImage" not in new_status(own(), away, NOW)


def test_a_rollout_that_is_asked_for_no_more_goes_from_the_status() -> None:
    rollout = {"revision": "r", "state": "Done"}
    assert new_status(own(rollout=rollout), GOOD, NOW)["rollout"] is None
    assert "rollout" not in new_status(own(rollout=rollout), BAD, NOW), "it is not known yet"
    assert "rollout" not in new_status(own(), GOOD, NOW)


@pytest.mark.parametrize(
    ("outcome", "state", "reason", "ready"),
    [
        pytest.param(GOOD, "Succeeded", "", ("True", "", ""), id="done"),
        pytest.param(
            BAD,
            "Failed",
            "no luck; try again; of others",
            ("False", "", "no luck; try again; of others"),
            id="failed",
        ),
    ],
)
def test_the_kinds_of_others_have_the_status_of_wasme(
    outcome: Outcome, state: str, reason: str, ready: tuple[str, str, str]
) -> None:
    held = {"apiVersion": "wasme.io/v1", "kind": "FilterDeployment", "metadata": {}}
    status = new_status(held, outcome, NOW)
    assert status == {
        "observedGeneration": outcome.generation,
        "workloads": {"details": {"state": state, "reason": reason}},
        "reason": reason,
    }
    assert ready_condition(status) == ready


def test_nothing_is_known_of_a_resource_that_nobody_looked_at() -> None:
    assert ready_condition({}) == ready_condition({"conditions": None}) == ("", "", "")
