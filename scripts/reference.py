"""Write docs/cli.md from the program itself. A test holds the page equal to the program."""

from collections.abc import Iterator
from pathlib import Path

import click

from weft.cli.app import program

PAGE = Path(__file__).parents[1] / "docs" / "cli.md"
HEAD = "# Commands\n\nMade from the program by `make docs`.\n"


def render() -> str:
    """The page: one section per command, its help as the terminal shows it at 100 columns."""
    return HEAD + "".join(_section(path, command) for path, command in _walk((), program))


def _walk(path: tuple[str, ...], command: click.Command) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            sub = command.get_command(context, name)
            if sub and not sub.hidden:
                yield from _walk((*path, name), sub)


def _section(path: tuple[str, ...], command: click.Command) -> str:
    name = " ".join(("weft", *path))
    context = click.Context(
        command,
        info_name=name,
        terminal_width=100,
        max_content_width=100,
        color=False,
        help_option_names=["-h", "--help"],  # a command keeps its help option, whoever asked first
    )
    return f"\n## {name}\n\n```text\n{command.get_help(context).rstrip()}\n```\n"


if __name__ == "__main__":
    PAGE.write_text(render())
