"""Where the process begins: the only reader of ``os.environ`` and ``sys``."""

import os
import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    from weft.cli import run

    sys.exit(run(sys.argv[1:], sys.stdin, sys.stdout, sys.stderr, os.environ))


if __name__ == "__main__":
    main()
