"""``weft bench`` with the real Envoy."""

import json
from pathlib import Path

import pytest

from conftest import Weft

pytestmark = pytest.mark.real("envoy")
SHORT = ("--rounds", "2", "--seconds", "0.3")


def test_a_filter_is_compared_with_no_filter(weft: Weft, tiny: Path) -> None:
    picture = tiny.with_suffix(".svg")
    result = weft("bench", tiny, "--config", "value", *SHORT, "-o", "json", "--plot", picture)
    assert result.code == 0, result.err
    envoy = json.loads(result.out)["envoy"]
    for side in ("bare", "filtered"):
        assert envoy[side]["good"] == 1
        assert len(envoy[side]["cpu_us"]) == 2
        assert all(cost > 0 for cost in envoy[side]["cpu_us"])
        assert 0 < envoy[side]["p50_us"] <= envoy[side]["p99_us"]
        assert envoy[side]["rate"] > 0
    assert envoy["ratio"] > 0
    assert picture.read_text().startswith("<svg ")


def test_a_filter_that_fails_under_load_is_refused(weft: Weft, tiny: Path) -> None:
    result = weft("bench", tiny, "--config", "#", *SHORT)
    assert result.code == 6
    assert result.err.startswith("error: the filter failed while it was measured\n")
    assert "proxy_on_request_headers failed: Uncaught RuntimeError: unreachable" in result.err
