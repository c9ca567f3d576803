"""The program as a function: words, streams and environment in, exit code out."""

import contextlib
from collections.abc import Mapping, Sequence
from typing import TextIO

import click

from weft import __version__
from weft.cli.commands import GROUPS, Commands
from weft.cli.console import Console
from weft.errors import WeftError

__all__ = ["program", "run"]

_INTERRUPTED = 130  # 128 + SIGINT, as shells count


@click.group(
    cls=Commands,
    groups=GROUPS,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 done, 1 failed, 2 wrong input, 3 a needed program is missing, 4 not found, "
    "5 the compiler refused, 6 Envoy or the filter refused, 7 signatures are missing.",
)
@click.version_option(__version__, prog_name="weft", message="%(prog)s version %(version)s")
@click.option("-v", "--verbose", is_flag=True, help="Say more about what happens.")
@click.pass_obj
def program(console: Console, verbose: bool) -> None:
    """The whole life of a proxy-wasm filter: init, build, test, run, package, deploy."""
    console.verbose = verbose


def run(argv: Sequence[str], stdin: TextIO, stdout: TextIO, stderr: TextIO, env: Mapping[str, str]) -> int:
    """Do what ``argv`` says and give the exit code; never raises for a user's mistake."""
    console = Console(stdin=stdin, stdout=stdout, stderr=stderr, env=env)
    try:
        with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
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
    except BrokenPipeError:  # the reader of our output left; so do we
        with contextlib.suppress(OSError):
            stdout.close()
        return 0
    return code if isinstance(code, int) else 0
