"""Play scenarios on the test host and on a real Envoy."""

import asyncio
import os
from collections.abc import Mapping
from types import MappingProxyType

from parts import envoy_binary
from weft.envoy import Native
from weft.scenario import Case, Played, parse
from weft.stage import Project
from weft.testhost import Code, Plugin, play
from weft.workflows.testing.on_envoy import EnvoyJob, play_on_envoy

PROJECT = Project("my", "r", b"")


def envoy() -> Native:
    """The Envoy of this machine."""
    found = envoy_binary()
    assert found is not None
    return Native(found)


def staged(
    module: bytes,
    *scenarios: str,
    known: frozenset[str] = frozenset(),
    others: Mapping[str, bytes] = MappingProxyType({}),
) -> list[Played]:
    """How the scenarios went on one Envoy."""

    job = EnvoyJob(module, envoy(), dict(os.environ), PROJECT, lambda _: known, others)
    return asyncio.run(play_on_envoy(cases_of(*scenarios), job, 1))


def hosted(
    module: bytes, *scenarios: str, others: Mapping[str, bytes] = MappingProxyType({})
) -> list[Played]:
    """How they went on the test host."""
    code = Code.load(module)
    beside = {name: Code.load(data) for name, data in others.items()}
    return [play(case, code, Plugin("my", "r"), beside) for case in cases_of(*scenarios)]


def cases_of(*scenarios: str) -> list[Case]:
    """The scenarios, read."""
    text = ", ".join(f"{{name: s{number}, {scenario}}}" for number, scenario in enumerate(scenarios))
    return parse(f"scenarios: [{text}]", where="x.yaml")


def problems(played: Played) -> list[str]:
    """What was not as it should be."""
    return [
        f"{step.number}: {found.what}: {found.expected[:200]!r}, {found.got[:200]!r}"
        for step in played.steps
        for found in step.mismatches
    ]
