"""How far a version is, as the status tells it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from weft.errors import WeftError
from weft.mesh import Facts, ImageUrl, Intent, RolloutStage, read_intent
from weft.operator.rolling import Progress, revision_of

NOW = datetime(2026, 1, 1, tzinfo=UTC)
STAGE = RolloutStage((), 300.0)


def intent(**spec: Any) -> Intent:
    held = {"image": "hub/f:v1", **spec}
    return read_intent(
        {
            "apiVersion": "weft.dev/v1alpha1",
            "kind": "FilterDeployment",
            "metadata": {"name": "f"},
            "spec": held,
        },
        where="f",
    )


def facts(digest: str = "a", **values: str) -> Facts:
    return Facts(
        image=ImageUrl.parse(f"hub/f@sha256:{digest * 64}"),
        values={("Secret", key, "k"): text for key, text in values.items()},
    )


def test_a_stage_is_held_from_when_it_was_reached_until_its_time_is_over() -> None:
    begun = Progress(revision="r").reached(STAGE, NOW)
    assert (begun.stage, begun.since) == (0, "2026-01-01T00:00:00Z")
    later = begun.reached(STAGE, NOW + timedelta(seconds=299))
    assert later == begun
    assert begun.reached(STAGE, NOW + timedelta(seconds=300)) == Progress(revision="r", stage=1)


def test_a_stage_without_a_hold_is_over_at_once() -> None:
    assert Progress(revision="r").reached(RolloutStage((), 0.0), NOW).stage == 1


@pytest.mark.parametrize(
    "progress",
    [
        pytest.param(Progress(revision="r").reached(STAGE, NOW), id="held"),
        pytest.param(Progress(revision="r", stage=2).finished(), id="done"),
        pytest.param(Progress(revision="r", stage=1).off(WeftError("pods")), id="called off"),
    ],
)
def test_the_status_brings_it_back(progress: Progress) -> None:
    status = {"rollout": progress.document()}
    assert Progress.of(status, "r") == progress
    assert Progress.of(status, "another") == Progress(revision="another"), "another version begins anew"


@pytest.mark.parametrize("rollout", [None, {}, {"revision": "r", "stage": None, "since": "yesterday"}])
def test_what_somebody_wrote_there_does_no_harm(rollout: Any) -> None:
    progress = Progress.of({"rollout": rollout}, "r")
    assert progress.reached(STAGE, NOW).stage == 0


def test_a_version_is_all_but_how_it_is_rolled_out() -> None:
    first = revision_of(intent(), facts())
    assert first == revision_of(intent(rollout={"steps": [{"percent": 5}]}), facts())
    others = {
        revision_of(intent(config={"a": 1}), facts()),
        revision_of(intent(), facts("b")),
        revision_of(intent(), facts(token="x")),
        revision_of(intent(), facts(token="y")),
    }
    assert len(others - {first}) == 4
