"""Where the process begins: the only reader of ``os.environ`` and ``sys``."""

import os
import signal
import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    from weft.cli import run

    signal.signal(signal.SIGTERM, _stop)
    sys.exit(run(sys.argv[1:], sys.stdin, sys.stdout, sys.stderr, os.environ))


def _stop(_signal: int, _frame: object) -> None:
    """Being told to end is like Ctrl-C, which asyncio turns into an orderly end."""
    signal.raise_signal(signal.SIGINT)


if __name__ == "__main__":
    main()
