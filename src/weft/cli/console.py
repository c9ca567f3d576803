"""How the program speaks: stdout is data, stderr is talk.

Understandable without colour; ``-o json`` is a promise to scripts: one line a result.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, TextIO

import click

from weft.base.paths import Places
from weft.errors import WeftError

__all__ = ["Console", "ReaderLeft"]


class ReaderLeft(Exception):
    """Who read our output has gone, as ``head`` does; so do we."""


class Console:
    """The streams and the environment of one run of the program; click's context object."""

    def __init__(self, *, stdin: TextIO, stdout: TextIO, stderr: TextIO, env: Mapping[str, str]) -> None:
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.env = env
        self.verbose = False

    @property
    def places(self) -> Places:
        """Where this user's store, tools and caches are."""
        return Places.from_env(self.env)

    @property
    def interactive(self) -> bool:
        """Whether somebody is there to answer a question."""
        return self.stdin.isatty() and self.stderr.isatty()

    def choose(self, question: str, options: Sequence[str]) -> str:
        """Ask until one of ``options`` is named, by its number or its text."""
        for number, option in enumerate(options, 1):
            self.talk(f"  {number}  {option}")
        while True:
            self.stderr.write(f"{question} [1-{len(options)}] ")
            self.stderr.flush()
            answer = self._answer()
            if answer in options:
                return answer
            if answer.isdecimal() and 0 < int(answer) <= len(options):
                return options[int(answer) - 1]

    def confirm(self, question: str) -> bool:
        """Ask for yes (the default) or no."""
        self.stderr.write(f"{question} [Y/n] ")
        self.stderr.flush()
        return self._answer().lower() in {"", "y", "yes"}

    def _answer(self) -> str:
        line = self.stdin.readline()
        if not line:
            raise click.Abort
        return line.strip()

    def data(self, text: str) -> None:
        """Write a line that a pipe may want."""
        _write(self.stdout, text)

    def document(self, value: Any, form: str) -> None:
        """Write ``value`` as ``yaml`` or ``json``: one line for programs, indented for eyes."""
        if form == "yaml":
            import yaml

            self.data(yaml.safe_dump(value, sort_keys=False).rstrip("\n"))
        else:
            self.data(json.dumps(value, indent=2 if self.stdout.isatty() else None))

    def table(self, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Write aligned columns, one space between, as wasme's tables look."""
        widths = [max(len(cell) for cell in column) for column in zip(header, *rows, strict=True)]
        for row in (header, *rows):
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.data(" ".join(cells).rstrip())

    def talk(self, text: str) -> None:
        """Tell a person what is going on."""
        _write(self.stderr, text)

    def detail(self, text: str) -> None:
        """Tell a person who asked for it with ``--verbose``."""
        if self.verbose:
            self.talk(text)

    def explain(self, error: WeftError) -> None:
        """Show a failure: what happened, foreign words as they came, what to try."""
        self.talk(f"error: {error}")
        if error.detail:
            self.talk(f"\n{error.detail.rstrip()}")
        if error.hint:
            self.talk(f"\nhint: {error.hint}")

    def explain_usage(self, error: click.ClickException) -> None:
        """Show a mistake on the command line, and where help is."""
        if isinstance(error, click.exceptions.NoArgsIsHelpError):
            self.talk(error.format_message())
            return
        self.talk(f"error: {error.format_message()}")
        context = getattr(error, "ctx", None)
        if context is not None:
            self.talk(f"\nhint: {context.command_path} --help")


def _write(stream: TextIO, text: str) -> None:
    try:
        print(text, file=stream, flush=True)
    except BrokenPipeError as error:
        raise ReaderLeft from error
    except OSError as error:
        raise WeftError(f"cannot write the output: {error.strerror}") from error
