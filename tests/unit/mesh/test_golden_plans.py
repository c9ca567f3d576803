"""What each target is told, as files to review: ``NAME.in.yaml`` becomes ``NAME.out.yaml``.

``WEFT_UPDATE_GOLDEN=1`` writes them anew.
"""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml

from weft.base.documents import as_yaml
from weft.mesh import Facts, ImageUrl, Plan, import_document, make_plan
from worlds.intents import DETAILS, MODULE, RATINGS
from worlds.istio_rules import complaints

CASES = sorted((Path(__file__).parent / "golden" / "plans").glob("*.in.yaml"))
ISTIO = {"WasmPlugin", "TrafficExtension", "EnvoyFilter"}


def plan_of(case: Path) -> Plan:
    """The first document is the intent, the second what else is known."""
    document, *more = yaml.safe_load_all(case.read_text())
    intent = import_document(document, where=case.name).intent
    known: dict[str, Any] = {
        "image": ImageUrl.parse(intent.spec.image),
        "module": MODULE,
        "workloads": (DETAILS, RATINGS),
        "module_path": "/modules/filter.wasm",
    }
    return make_plan(intent, Facts(**known, **(more[0] if more else {})))


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name.removesuffix(".in.yaml"))
def test_a_target_is_told_what_the_reviewer_saw(case: Path) -> None:
    plan = plan_of(case)
    expected = case.with_name(case.name.replace(".in.", ".out."))
    actual = as_yaml(plan.document())
    if os.environ.get("WEFT_UPDATE_GOLDEN"):
        expected.write_text(actual)
    assert actual == expected.read_text()


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.name.removesuffix(".in.yaml"))
def test_istio_would_take_it(case: Path) -> None:
    told = [held for held in plan_of(case).objects if held.get("kind") in ISTIO]
    assert [complaints(held) for held in told] == [[]] * len(told)


def test_every_target_has_a_case() -> None:
    assert {plan_of(case).target for case in CASES} == {
        "istio/wasmplugin",
        "istio/trafficextension",
        "istio/envoyfilter",
        "istio/configmap",
        "gloo",
        "envoy-gateway",
        "envoy",
        "xds",
    }
