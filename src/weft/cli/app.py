"""The program as a function: words, streams and environment in, exit code out."""

import contextlib
import os
from collections.abc import Mapping, Sequence
from typing import TextIO

import click

from weft import __version__
from weft.cli.commands import GROUPS, Commands
from weft.cli.console import Console, ReaderLeft
from weft.errors import WeftError

__all__ = ["program", "run"]

# As shells count those that a signal ended: 128 + its number.
_INTERRUPTED = 130
_READER_LEFT = 141


@click.group(
    cls=Commands,
    groups=GROUPS,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 failed, 2 wrong input, 3 a needed program is missing, 4 not found, "
    "5 the compiler refused, 6 Envoy or the filter refused, 7 signatures are missing, 8 somebody else "
    "changes the same filter, 130 stopped by Ctrl-C or SIGTERM before it was done, 141 the reader of the "
    "output left.",
)
@click.version_option(__version__, prog_name="weft", message="%(prog)s version %(version)s")
@click.option("-v", "--verbose", is_flag=True, help="Say more about what happens.")
@click.pass_obj
def program(console: Console, verbose: bool) -> None:
    """The whole life of a proxy-wasm filter: init, build, test, run, package, deploy."""
    console.verbose = verbose


def run(argv: Sequence[str], stdin: TextIO, stdout: TextIO, stderr: TextIO, env: Mapping[str, str]) -> int:
    """Do what ``argv`` says and give the exit code; never raises."""
    console = Console(stdin=stdin, stdout=stdout, stderr=stderr, env=env)
    try:
        return _run(argv, console)
    except (ReaderLeft, SystemExit, OSError):  # click exits when help has no reader
        # Nobody can be told. What is still in a stream's buffer would fail once more when Python ends.
        for stream in (stdout, stderr):
            with contextlib.suppress(OSError):
                stream.close()
        return _READER_LEFT


def _run(argv: Sequence[str], console: Console) -> int:
    """As ``run``; raises one of three errors when nobody hears what is to be said."""
    try:
        with contextlib.redirect_stdout(console.stdout), contextlib.redirect_stderr(console.stderr):
            code = program.main(args=list(argv), prog_name="weft", standalone_mode=False, obj=console)
    except WeftError as error:
        console.explain(error)
        return error.exit_code
    except click.ClickException as error:
        console.explain_usage(error)
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        console.talk("stopped")
        return _INTERRUPTED
    except ReaderLeft:
        raise
    except OSError as error:
        console.explain(_of_the_system(error))
        return WeftError.exit_code
    except Exception as error:  # noqa: BLE001 - a defect of ours is told like a failure, not thrown at the user
        console.explain(_of_ours(error, verbose=console.verbose))
        return WeftError.exit_code
    return code if isinstance(code, int) else 0


def _of_the_system(error: OSError) -> WeftError:
    """What the system refused where nobody nearer to it had better words."""
    if error.filename is None:
        try:
            os.getcwd()  # noqa: PTH109 - asked only whether it is there
        except OSError:
            return WeftError("the current folder is gone", hint="cd to a folder that exists")
    place = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, (str, bytes)) else ""
    return WeftError(f"{place}{error.strerror or error}")


def _of_ours(error: Exception, *, verbose: bool) -> WeftError:
    """What should not have happened, with the place of the defect."""
    import traceback

    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}"
    return WeftError(
        f"a defect of weft: {type(error).__name__}: {error} (at {where})",
        detail="".join(traceback.format_exception(error)) if verbose else None,
        hint="please report it with what `weft -v` and the same words print",
    )
