"""The command line: parse, call one workflow, show the outcome.

One module per command, loaded when that command is typed, so ``weft --help`` stays fast.
May import everything below; nothing imports it but ``weft.__main__``.
"""

from weft.cli.app import run

__all__ = ["run"]
