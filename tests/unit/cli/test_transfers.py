"""How copies look: bars where somebody sees them, lines where somebody asked, silence elsewhere."""

import io
import json

from weft.cli.console import Console
from weft.cli.output.transfers import show_report, watch
from weft.oci import Digest
from weft.workflows.images.transfer import Outcome, Report
from worlds.content import blob, image

MODULE = b"\0asm\1\0\0\0" * 1000


class Terminal(io.StringIO):
    """A stream with a person at it."""

    def isatty(self) -> bool:
        return True


def copied(err: io.StringIO, *, verbose: bool = False) -> str:
    """What is said while one blob is copied."""
    console = Console(stdin=io.StringIO(), stdout=io.StringIO(), stderr=err, env={})
    console.verbose = verbose
    with watch(console) as progress:
        progress.begin(blob(MODULE))
        progress.advance(blob(MODULE), 3000)
        progress.advance(blob(MODULE), 5000)
        progress.end(blob(MODULE), Outcome.COPIED)
        progress.end(blob(b"never begun"), Outcome.THERE)
    return err.getvalue()


def test_a_terminal_shows_a_bar_per_blob() -> None:
    assert blob(MODULE).digest.short in copied(Terminal())


def test_a_pipe_is_told_nothing_meanwhile() -> None:
    assert copied(io.StringIO()) == ""


def test_a_pipe_that_asked_is_told_each_blob() -> None:
    assert copied(io.StringIO(), verbose=True) == (
        f"copied {blob(MODULE).digest} (8.0 kB)\nthere {blob(b'never begun').digest} (11 B)\n"
    )


def ended(form: str) -> tuple[str, str]:
    """What is said on stdout and stderr at the end."""
    outcomes = {blob(MODULE).digest: Outcome.COPIED, Digest.of(b""): Outcome.MOUNTED}
    out, err = io.StringIO(), io.StringIO()
    console = Console(stdin=io.StringIO(), stdout=out, stderr=err, env={})
    report = Report(image(MODULE), outcomes, moved=8000)
    show_report(console, "Pushed", "hub.example.com/f:v1", report, form)
    return out.getvalue(), err.getvalue()


def test_a_person_is_told_the_end_in_two_lines() -> None:
    assert ended("text") == (
        "",
        f"Pushed hub.example.com/f:v1 (8.0 kB moved)\nDigest: {image(MODULE).digest}\n",
    )


def test_a_script_is_told_the_end_in_one_line() -> None:
    out, err = ended("json")
    assert (out.count("\n"), err) == (1, "")
    assert json.loads(out) == {
        "reference": "hub.example.com/f:v1",
        "digest": str(image(MODULE).digest),
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "blobs": {"copied": 1, "there": 0, "mounted": 1},
        "bytes": 8000,
    }
