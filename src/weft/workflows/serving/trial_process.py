"""The process in which ``Trials`` tries configs: a line in asks, a line out answers, until there is no more.

Run as a program with the folder where compiled modules are kept.
"""

import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from weft.errors import WeftError
from weft.workflows.deploying.trying import Trial, try_out

if TYPE_CHECKING:
    from weft.testhost import Code

__all__ = ["answer_of", "question", "serve"]

# Resources of one image come together.
_MOST_LOADED = 2


def question(module: Path, trial: Trial) -> bytes:
    """A line that asks to try ``trial`` on the module in that file."""
    return json.dumps({"module": str(module), "trial": asdict(trial)}).encode() + b"\n"


def answer_of(line: bytes) -> dict[str, Any]:
    """What a line answers: nothing when all is well, else ``kind``, ``message``, ``hint`` and ``detail``.

    Raises ``ValueError`` for a line that was not written to its end.
    """
    return dict(json.loads(line))


def serve(questions: Iterable[bytes], answers: BinaryIO, cache: Path) -> None:
    """Answer each; ``cache`` is where compiled modules are kept."""

    @lru_cache(maxsize=_MOST_LOADED)
    def load(module: str) -> "Code":
        from weft.testhost import Code

        return Code.load(Path(module).read_bytes(), cache)

    for line in questions:
        asked = json.loads(line)
        module, trial = asked["module"], Trial(**asked["trial"])
        answer = {}
        try:
            try_out(trial, lambda: load(module))  # noqa: B023 - it is called at once
        except WeftError as error:
            said = {"message": str(error), "hint": error.hint, "detail": error.detail}
            answer = {"kind": type(error).__name__, **said}
        answers.write(json.dumps(answer).encode() + b"\n")
        answers.flush()


if __name__ == "__main__":
    serve(sys.stdin.buffer, sys.stdout.buffer, Path(sys.argv[1]))
