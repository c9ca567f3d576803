"""Compiled modules on disk."""

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from threading import Barrier

import pytest

from modules.guests import answering
from weft.testhost.engine import compile_module, compiling
from weft.testhost.engine.compiling import _name


def test_a_compiled_module_is_kept_and_a_damaged_one_made_anew(tmp_path: Path) -> None:
    module = answering(on_vm_start=1)
    compile_module(module, tmp_path)
    (kept,) = tmp_path.iterdir()
    assert kept.name == _name(module)
    whole = kept.read_bytes()
    kept.write_bytes(b"damaged")
    compile_module(module, tmp_path)
    assert kept.read_bytes()[:4] == whole[:4]
    file = kept.stat().st_ino
    compile_module(module, tmp_path)
    assert kept.stat().st_ino == file


def test_the_compiled_modules_that_were_used_last_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compiling, "_MOST_KEPT", 2)
    first, second, third = (answering(on_vm_start=number) for number in (1, 2, 3))
    for seconds, module in enumerate((first, second), 1):
        compile_module(module, tmp_path)
        os.utime(tmp_path / _name(module), (seconds, seconds))
    for module in (first, third):
        compile_module(module, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {_name(first), _name(third)}


def test_a_module_is_compiled_though_it_cannot_be_kept(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_bytes(b"")
    assert compile_module(answering(on_vm_start=1), blocked / "cache").handle


def test_threads_that_begin_together_share_one_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "_engine", cache(compiling._engine.__wrapped__))
    begun = Barrier(8)

    def ask(_: int) -> int:
        begun.wait()
        return compiling.engine()

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(ask, range(8)))) == 1
