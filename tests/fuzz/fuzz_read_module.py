"""Feed ``read_module`` whatever libFuzzer thinks of, guided by coverage; run it by hand.

    .venv/uv/bin/uv pip install --python .venv/bin/python atheris
    .venv/bin/python tests/fuzz/fuzz_read_module.py -max_total_time=300 /tmp/corpus

The folder named last keeps what it found worth keeping, and is filled first with the modules of the tests.
Any exception but ``ModuleInvalid`` stops it and leaves a file ``crash-…``; put those bytes into
``tests/unit/wasm/test_read_anything.py``. atheris is no dependency: nothing else needs it.
"""

import contextlib
import importlib
import sys
from hashlib import sha256
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "src"), str(HERE.parent)]

atheris = importlib.import_module("atheris")

with atheris.instrument_imports(include=["weft.wasm"]):
    from weft.symbols import Symbols
    from weft.wasm import ModuleInvalid, describe, loadability, read_module


def one(data: bytes) -> None:
    """What weft does with foreign bytes."""
    with contextlib.suppress(ModuleInvalid):
        read = read_module(data)
        describe(read)
        loadability(read)
        Symbols(data, read).at(len(data) // 2)


def main() -> None:
    """Fill the corpus and run until somebody stops it."""
    from cases.loadability import CASES

    folder = Path(sys.argv[-1])
    if folder.is_dir():
        for case in CASES:
            (folder / sha256(case.data).hexdigest()).write_bytes(case.data)
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
