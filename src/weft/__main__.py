"""Where the process begins: the only reader of ``os.environ`` and ``sys``."""

import gc
import os
import signal
import sys

# Objects between two looks for cycles; Python begins with 700, and since 3.14 with 2000.
_MANY = 20_000

_STDERR = 2


def main() -> None:
    """Run the command line and leave with its exit code."""
    # A start is mostly imports, and what they make stays: looking for garbage in it takes 20 ms, and 35 ms at
    # the end, of the 300 of a small pull.
    gc.set_threshold(_MANY)
    from weft.cli import run

    signal.signal(signal.SIGTERM, _stop)
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a script began us with `&`; SIGTERM is to end us
        signal.signal(signal.SIGINT, signal.default_int_handler)
    _open_closed_streams()
    code = run(sys.argv[1:], sys.stdin, sys.stdout, sys.stderr, os.environ)
    gc.freeze()
    sys.exit(code)


def _open_closed_streams() -> None:
    """Streams that whoever started us closed lead to nowhere; else the next file opened would be one."""
    while (number := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        pass
    os.close(number)
    sys.stdin = sys.stdin or os.fdopen(0)
    sys.stdout = sys.stdout or os.fdopen(1, "w")
    sys.stderr = sys.stderr or os.fdopen(_STDERR, "w")


def _stop(_signal: int, _frame: object) -> None:
    """Being told to end is like Ctrl-C, which asyncio turns into an orderly end."""
    signal.raise_signal(signal.SIGINT)


if __name__ == "__main__":
    main()
