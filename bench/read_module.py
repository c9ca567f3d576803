"""How long ``weft.wasm.read_module`` takes, beside wasmtime's validation of the same bytes.

    .venv/bin/python bench/read_module.py [MODULE.wasm ...]

Without arguments: a synthetic module of 4 MB (8,000 functions of 400 bytes, all named, 4,000 data segments)
and one of 20,000 tiny functions. wasmtime is asked when it is installed; it validates every instruction,
weft reads none, so the figures say what inspecting costs, not who is faster. Best of 15 runs, interleaved.
"""

import gc
import importlib
import sys
import time
from collections.abc import Callable
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "src"), str(HERE.parent / "tests")]

from modules.wasm_encoder import (  # noqa: E402
    body,
    function_type,
    limits,
    module,
    name,
    name_section,
    producers,
    section,
    u,
    vec,
)
from weft.wasm import loadability, read_module  # noqa: E402

ROUNDS = 15
BUDGET_MS = 50
SIGNATURES = ("void -> void", "i32 -> i32", "i32 i32 -> i32", "i32 i32 i32 -> void", "i32 i64 f64 -> i64")
NOP = b"\x01"


def synthetic(functions: int, code_bytes: int, segments: int, segment_bytes: int) -> bytes:
    """A module that validates: its functions do nothing, at length."""
    types = [i % len(SIGNATURES) for i in range(functions)]
    results = (b"", b"\x41\x01", b"\x41\x01", b"", b"\x42\x01")
    bodies = [body(NOP * code_bytes + results[index]) for index in types]
    names = {i: f"example::module_{i % 97}::function_with_a_real_name_{i}" for i in range(functions)}
    exports = [name(f"export_{i}") + b"\0" + u(i) for i in range(50)]
    segment = b"\0\x41\0\x0b" + name(bytes(segment_bytes))
    return module(
        section(1, vec(map(function_type, SIGNATURES))),
        section(3, vec(map(u, types))),
        section(5, vec([limits(2)])),
        section(7, vec(exports)),
        section(10, vec(bodies)),
        section(11, vec([segment] * segments)),
        name_section(names),
        producers({"language": [("Rust", "2024")], "processed-by": [("rustc", "1.96")]}),
    )


def engine() -> Callable[[bytes], object] | None:
    """The validation of wasmtime, or nothing."""
    try:
        wasmtime = importlib.import_module("wasmtime")
    except ImportError:
        return None
    config = wasmtime.Engine()
    return lambda data: wasmtime.Module.validate(config, data)


def milliseconds(work: Callable[[bytes], object], data: bytes) -> float:
    """One run of ``work``."""
    gc.collect()
    start = time.perf_counter()
    work(data)
    return (time.perf_counter() - start) * 1000


def everything(data: bytes) -> object:
    """What ``weft inspect`` and ``weft check`` ask."""
    return loadability(read_module(data))


def main() -> int:
    """Print one line a module; exit 1 when the synthetic 4 MB module misses the budget."""
    modules = {Path(arg).name: Path(arg).read_bytes() for arg in sys.argv[1:]}
    if not modules:
        modules = {
            "synthetic 4 MB": synthetic(8_000, 400, 4_000, 60),
            "20,000 functions": synthetic(20_000, 20, 10, 10),
        }
    validate = engine()
    late = False
    print(f"{'module':<24} {'bytes':>10} {'read':>9} {'+ rules':>9} {'wasmtime validate':>18}")
    for title, data in modules.items():
        reads, rules, validations = [], [], []
        for _ in range(ROUNDS):
            reads.append(milliseconds(read_module, data))
            rules.append(milliseconds(everything, data))
            if validate:
                validations.append(milliseconds(validate, data))
        shown = f"{min(validations):>15.1f} ms" if validations else f"{'not installed':>18}"
        read, ruled = min(reads), min(rules)
        print(f"{title:<24} {len(data):>10} {read:>6.1f} ms {ruled:>6.1f} ms {shown}")
        late = late or (title == "synthetic 4 MB" and read > BUDGET_MS)
    return int(late)


if __name__ == "__main__":
    sys.exit(main())
