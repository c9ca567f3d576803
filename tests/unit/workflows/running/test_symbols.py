"""Backtraces of a chain's filters are said by their modules."""

from pathlib import Path

from modules.tiny import tiny_filter
from weft.mesh import Plugin
from weft.wasm import Kind, read_module
from weft.workflows.running.symbols import symbolizer

TINY = tiny_filter()


def trace_of(function: str) -> list[str]:
    """A frame in a function of the tiny filter, as Envoy writes it without names."""
    module = read_module(TINY)
    offset = module.bodies[module.exported(Kind.FUNC)[function] - module.imported_functions].offset
    return [f"  0:  {offset:#x} - unknown(function index:9)"]


def test_the_filters_own_module_is_asked(tmp_path: Path) -> None:
    for name, module in (("a", b"junk"), ("b", TINY)):
        (tmp_path / name).write_bytes(module)
    chain = [Plugin(id=name, module=str(tmp_path / name)) for name in ("a", "b", "gone")]
    symbolize, trace = symbolizer(chain), trace_of("malloc")
    assert list(symbolize("b", trace)) == [trace[0].replace("unknown(function index:9)", "malloc")]
    for other in ("a", "gone", "not in the chain"):
        assert list(symbolize(other, trace)) == trace


def test_a_module_that_is_exchanged_is_asked_from_then_on(tmp_path: Path) -> None:
    path, trace = tmp_path / "b.wasm", trace_of("check_config")
    path.write_bytes(TINY)
    chain: list[Plugin] = []
    symbolize = symbolizer(chain)
    assert list(symbolize("b", trace)) == trace
    chain.append(Plugin(id="b", module=str(path)))
    assert next(iter(symbolize("b", trace))).endswith(" - check_config")
    path.unlink()
    assert next(iter(symbolize("b", trace))).endswith(" - check_config"), "it is read once"
