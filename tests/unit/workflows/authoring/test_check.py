"""The rules first, then Envoy, who has the last word."""

import pytest

from modules.wasm_encoder import proxy_module
from weft.envoy import Outcome, Verdict
from weft.wasm import ENVOY_VERSION, RULES, read_module
from weft.workflows.authoring.check import check_offline, check_with
from weft.workflows.authoring.modules import LoadedModule

TICK = {"proxy_on_tick": "i32 -> void"}
GOOD = proxy_module(exports=TICK)
BAD = proxy_module(exports=TICK, imports=[("env", "abort", "i32 -> void")])
DEADLY = proxy_module(exports=TICK, imports=[("env", "proxy_done", "void -> i32")], export_memory=False)


def load(data: bytes) -> LoadedModule:
    return LoadedModule("a.wasm", data, read_module(data))


class FakeEnvoy:
    """Says what it was told to say, and remembers what it was asked about."""

    def __init__(self, outcome: Outcome, *words: str) -> None:
        self.verdict = Verdict(outcome, ENVOY_VERSION, words)
        self.asked: list[bytes] = []

    async def __call__(self, loaded: LoadedModule) -> Verdict:
        self.asked.append(loaded.data)
        return self.verdict


@pytest.mark.parametrize(
    ("data", "loads"),
    [
        pytest.param(GOOD, True, id="good"),
        pytest.param(BAD, False, id="bad"),
        pytest.param(DEADLY, False, id="deadly"),
    ],
)
def test_without_envoy_the_rules_decide(data: bytes, loads: bool) -> None:
    checked = check_offline(load(data))
    assert (checked.loads, checked.verdict) == (loads, None)


@pytest.mark.parametrize(
    ("data", "outcome", "loads"),
    [
        pytest.param(GOOD, Outcome.LOADED, True, id="both say yes"),
        pytest.param(GOOD, Outcome.START_REFUSED, True, id="the filter does not start"),
        pytest.param(GOOD, Outcome.CONFIG_REFUSED, True, id="the filter wants a config"),
        pytest.param(GOOD, Outcome.REFUSED, False, id="Envoy knows better"),
        pytest.param(GOOD, Outcome.CRASHED, False, id="Envoy dies"),
        pytest.param(BAD, Outcome.REFUSED, False, id="both say no"),
        pytest.param(BAD, Outcome.LOADED, True, id="a later Envoy has it"),
        pytest.param(DEADLY, Outcome.LOADED, False, id="it would die later"),
    ],
)
async def test_envoy_has_the_last_word(data: bytes, outcome: Outcome, loads: bool) -> None:
    envoy = FakeEnvoy(outcome)
    checked = await check_with(envoy, load(data))
    assert (checked.loads, envoy.asked) == (loads, [data])


async def test_the_document_has_every_rule_and_what_envoy_said() -> None:
    checked = await check_with(FakeEnvoy(Outcome.REFUSED, "a missing import"), load(BAD))
    document = checked.document()
    assert [rule["name"] for rule in document["rules"]] == [rule.name for rule in RULES]
    assert {rule["name"]: rule["problems"] for rule in document["rules"] if rule["problems"]} == {
        "imports": [
            {
                "effect": "refused",
                "message": "imports env.abort, which Envoy does not have",
                "envoy": "Failed to load Wasm module due to a missing import: env.abort",
                "hint": "AssemblyScript: compile with --use abort=<a function of your own>",
            }
        ]
    }
    assert document["envoy"] == {"version": "1.40.0", "outcome": "refused", "words": ["a missing import"]}
    assert (document["what"], document["loads"]) == ("a.wasm", False)


def test_without_envoy_the_document_says_so() -> None:
    assert check_offline(load(GOOD)).document()["envoy"] is None
