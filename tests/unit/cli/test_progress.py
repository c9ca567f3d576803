"""The last line of a terminal, and its absence in a pipe."""

import io

import pytest

from weft.cli.console import Console
from weft.cli.output.progress import progress
from weft.toolchains import TOOLS

# What a compiler may write that a terminal library would like to improve.
RAW = ["[bold]not markup[/]", "x" * 300, "  1 |   int a = 'b'; :smile: 42", ""]


class Terminal(io.StringIO):
    """A stream with a person at it."""

    def isatty(self) -> bool:
        return True


def console(err: io.StringIO, answers: io.StringIO | None = None) -> Console:
    return Console(stdin=answers or io.StringIO(), stdout=io.StringIO(), stderr=err, env={})


def test_a_pipe_is_told_each_thing_once() -> None:
    err = io.StringIO()
    with progress(console(err)) as bar:
        for text in ("fetching zig", "fetching zig: 1 of 90 MB", "fetching zig: 2 of 90 MB", "unpacking zig"):
            bar.say(text)
    assert err.getvalue() == "fetching zig\nunpacking zig\n"


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
def test_a_compilers_lines_come_as_they_are(stream: type[io.StringIO]) -> None:
    err = stream()
    with progress(console(err)) as bar:
        bar.say("compiling")
        for line in RAW:
            bar.line(line)
    text = err.getvalue()
    assert all(f"{line}\n" in text for line in RAW)


def test_a_terminal_shows_what_runs_now() -> None:
    err = Terminal()
    with progress(console(err)) as bar:
        bar.say("compiling [add-header] (cpp)")
    assert " compiling [add-header] (cpp) " in err.getvalue()


@pytest.mark.parametrize(
    ("answer", "agreed"),
    [("\n", True), ("y\n", True), ("Yes\n", True), ("n\n", False), ("what?\n", False)],
)
def test_a_person_decides_what_is_fetched(answer: str, agreed: bool) -> None:
    err = Terminal()
    with progress(console(err, Terminal(answer))) as bar:
        assert bar.allow([TOOLS["zig"], TOOLS["node"]]) is agreed
    question = "weft needs zig 0.17.0, node 24.19.0 (618 MB on disk). Fetch? [Y/n] "
    assert err.getvalue().count(question) == 1


@pytest.mark.parametrize(("yes", "agreed"), [(True, True), (False, False)])
def test_a_script_is_not_asked(yes: bool, agreed: bool) -> None:
    err = io.StringIO()
    with progress(console(err, io.StringIO("y\n")), yes=yes) as bar:
        assert bar.allow([TOOLS["zig"]]) is agreed
    assert err.getvalue() == ""
