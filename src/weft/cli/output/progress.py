"""The last line of a terminal: what runs now and for how long. In a pipe there is no such line.

A command that waits for compilers or downloads opens one ``Progress`` around the wait and hands its methods
to the workflow: ``line`` for foreign words that must reach the user as they are, ``say`` for what goes on,
``allow`` to ask whether something may be fetched.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from weft.cli.console import Console

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress

    from weft.toolchains import Tool

__all__ = ["Progress", "progress"]


class Progress:
    """Words while something runs; ``bar`` is the terminal's last line, if there is a terminal."""

    def __init__(self, console: Console, *, yes: bool, bar: "RichProgress | None") -> None:
        self._console = console
        self._yes = yes
        self._bar = bar
        self._said = ""

    def line(self, text: str) -> None:
        """Show a line of a program's as it came."""
        if self._bar:
            self._bar.console.out(text, highlight=False)
        else:
            self._console.talk(text)

    def say(self, text: str) -> None:
        """Show what goes on. ``fetching zig: 3 of 90 MB`` tells a pipe ``fetching zig``, once."""
        if self._bar:
            self._bar.update(self._bar.task_ids[0], description=text, visible=True)
            return
        head = text.split(":", maxsplit=1)[0]
        if head != self._said:
            self._said = head
            self._console.talk(head)

    def allow(self, tools: "Sequence[Tool]") -> bool:
        """Ask once whether ``tools`` may be fetched; ``--yes`` has answered, and a script is not asked."""
        if self._yes or not self._console.interactive:
            return self._yes
        if self._bar:
            self._bar.stop()
        names = ", ".join(f"{tool.name} {tool.package.version}" for tool in tools if tool.package)
        size = sum(tool.package.megabytes for tool in tools if tool.package)
        answer = self._console.confirm(f"weft needs {names} ({size} MB on disk). Fetch?")
        if self._bar:
            self._bar.start()
        return answer


@contextmanager
def progress(console: Console, *, yes: bool = False) -> Iterator[Progress]:
    """Open the last line for as long as the block runs; it leaves no trace."""
    if not console.stderr.isatty():
        yield Progress(console, yes=yes, bar=None)
        return
    from rich.console import Console as RichConsole
    from rich.progress import Progress as RichProgress
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    terminal = RichConsole(file=console.stderr)
    with RichProgress(
        *columns, console=terminal, transient=True, redirect_stdout=False, redirect_stderr=False
    ) as bar:
        bar.add_task("", visible=False)
        yield Progress(console, yes=yes, bar=bar)
