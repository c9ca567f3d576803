"""What a run of Envoy says about a module, read off its end and its log.

A shell script stands in for Envoy here: it says what the real one said. Real runs are in tests/real.
"""

import os
from pathlib import Path

import pytest

from weft.envoy import Outcome, Verdict, validate, validation
from weft.errors import PartMissing, WeftError

VERSION = "envoy  version: 9e5580933739775e8bce696a57a2e1bc99368f23/1.40.0/Clean/RELEASE/BoringSSL"
ENDING = """\
critical|wasm|Plugin weft-check failed to load
critical|wasm|Plugin configured to fail closed failed to load
critical|main|error initializing configuration '/x/bootstrap.json': Unable to create Wasm plugin weft-check"""
MISSING = """\
error|wasm|Failed to load Wasm module due to a missing import: env.abort
error|wasm|Wasm VM failed Failed to initialize Wasm code
"""
TRAP = """\
Function: proxy_on_configure failed: Uncaught RuntimeError: unreachable
Proxy-Wasm plugin in-VM backtrace:
  0:  0x78 - foo::bar()"""
TRAPPED = f"""\
error|wasm|wasm log: config: must be an object
error|wasm|{TRAP}
error|wasm|Wasm VM failed Failed to configure base Wasm plugin
"""


def envoy_saying(folder: Path, words: str, ending: str) -> Path:
    """A program that ends like Envoy did."""
    said = folder / "said"
    said.write_text(words)
    program = folder / "envoy"
    program.write_text(
        f"#!/bin/sh\n[ $1 = --version ] && echo '{VERSION}' && exit\ncat {said} >&2\n{ending}\n"
    )
    program.chmod(0o755)
    return program


async def verdict(folder: Path, words: str, ending: str = "exit 1") -> Verdict:
    return await validate(envoy_saying(folder, words, ending), b"", env=os.environ)


async def test_an_envoy_that_ends_well_loaded_it(tmp_path: Path) -> None:
    said = "configuration '/tmp/x/bootstrap.json' OK\n"
    assert await verdict(tmp_path, said, "exit 0") == Verdict(Outcome.LOADED, "1.40.0")


@pytest.mark.parametrize(
    ("said", "outcome", "words"),
    [
        pytest.param(
            MISSING + ENDING,
            Outcome.REFUSED,
            ("Failed to load Wasm module due to a missing import: env.abort",),
            id="a reason without its consequences",
        ),
        pytest.param(
            "error|wasm|Wasm VM failed Failed to initialize Wasm code\n" + ENDING,
            Outcome.REFUSED,
            ("Failed to initialize Wasm code",),
            id="a consequence where no reason was given",
        ),
        pytest.param(ENDING, Outcome.REFUSED, ("Plugin weft-check failed to load",), id="no reason at all"),
        pytest.param(
            "error|wasm|Wasm VM failed Failed to start base Wasm\n" + ENDING,
            Outcome.START_REFUSED,
            ("Failed to start base Wasm",),
            id="proxy_on_vm_start said no",
        ),
        pytest.param(
            TRAPPED + ENDING,
            Outcome.CONFIG_REFUSED,
            (
                "wasm log: config: must be an object",
                TRAP,
                "Failed to configure base Wasm plugin",
            ),
            id="proxy_on_configure trapped, with its backtrace",
        ),
        pytest.param(
            "wasm://wasm/867868f6:100: Uncaught RuntimeError: unreachable\n"
            "error|wasm|Failed to create new Wasm instance\n" + ENDING,
            Outcome.REFUSED,
            (
                "wasm://wasm/867868f6:100: Uncaught RuntimeError: unreachable",
                "Failed to create new Wasm instance",
            ),
            id="the start function trapped",
        ),
    ],
)
async def test_an_envoy_that_fails_says_why(
    tmp_path: Path, said: str, outcome: Outcome, words: tuple[str, ...]
) -> None:
    assert await verdict(tmp_path, said) == Verdict(outcome, "1.40.0", words)


async def test_an_envoy_that_dies_is_a_crash(tmp_path: Path) -> None:
    assert await verdict(tmp_path, "", "kill -SEGV $$") == Verdict(
        Outcome.CRASHED, "1.40.0", ("Envoy died: SIGSEGV",)
    )


async def test_an_envoy_that_fails_for_another_reason_says_nothing_about_the_module(tmp_path: Path) -> None:
    said = "critical|main|error initializing configuration: no space left\n"
    with pytest.raises(WeftError) as caught:
        await verdict(tmp_path, said)
    assert str(caught.value) == "Envoy failed for a reason other than the module"
    assert caught.value.detail == said


async def test_an_envoy_that_does_not_end_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(validation, "_TIMEOUT_SECONDS", 1.0)
    with pytest.raises(WeftError) as caught:
        await verdict(tmp_path, "", "while :; do sleep 60; done")
    assert str(caught.value) == "Envoy did not finish within 1 s"
    assert caught.value.hint == "a filter that loops when it is started never ends"


async def test_a_program_that_is_not_there_is_missing(tmp_path: Path) -> None:
    with pytest.raises(PartMissing):
        await validate(tmp_path / "gone", b"", env=os.environ)
