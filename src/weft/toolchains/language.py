"""What a language owes weft: one coroutine that turns a project folder into a module.

The rules for every ``Language``:

* the project's folder is read and never written: whatever a compiler wants to keep goes to ``Job.cache``,
  whatever it makes on the way to ``Job.scratch``;
* the same source gives the same bytes, wherever the folder lies: no paths and no dates in the module;
* the compiler's own words reach the user as they were written, through ``Job.execute``;
* success means ``Job.output`` exists; failure is ``BuildFailed`` and leaves nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from weft.base.processes import Finished

__all__ = ["Execute", "Job", "Language"]


class Execute(Protocol):
    """Run a compiler step; its lines go to the user as they appear."""

    async def __call__(
        self, command: Sequence[str | Path], *, cwd: Path, env: Mapping[str, str] | None = None
    ) -> Finished:
        """Run to the end. ``env`` is added to the job's environment. Raises ``BuildFailed`` on failure."""
        ...


@dataclass(frozen=True, slots=True)
class Job:
    """One build: where to read, where to write, what with."""

    source: Path
    """The project's folder, absolute. Never written."""
    output: Path
    """The module goes here. Its folder exists."""
    scratch: Path
    """An empty folder for what is made on the way; removed afterwards."""
    cache: Path
    """This project's own folder in weft's cache, for incremental builds; exists, may be empty."""
    tools: Mapping[str, Path]
    """The programs the language asked for in ``Language.tools``, absolute."""
    execute: Execute
    options: Mapping[str, Any] = field(default_factory=dict)
    """``[build]`` of weft.toml, unchecked."""
    shared: Path | None = None
    """A folder in weft's cache for what a language keeps once for all projects, under names that tell what
    it was made of; exists. Without it, such things go to ``cache``."""


class Language(Protocol):
    """A source language. Implementations are stateless; one instance each in ``LANGUAGES``."""

    @property
    def name(self) -> str:
        """As ``filter.language`` of weft.toml says it."""
        ...

    @property
    def tools(self) -> tuple[str, ...]:
        """Names of the tools it needs, as ``weft toolchain list`` shows them."""
        ...

    async def build(self, job: Job) -> None:
        """Compile ``job.source`` into ``job.output``; raises ``BuildFailed`` with the compiler's words."""
        ...
