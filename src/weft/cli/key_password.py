"""The password of a key: from the environment, or from a person."""

from collections.abc import Callable

import click

from weft.cli.console import Console
from weft.errors import UsageError

__all__ = ["key_password"]

# The second is what cosign reads.
_NAMES = ("WEFT_KEY_PASSWORD", "COSIGN_PASSWORD")


def key_password(console: Console, *, new: bool = False) -> Callable[[], bytes]:
    """What gives the password when a key turns out to need one; ``new`` asks a person twice.

    A variable that is set but empty is an empty password, as with cosign. Raises ``UsageError`` when nobody
    is there to ask.
    """

    def password() -> bytes:
        for name in _NAMES:
            if name in console.env:
                return console.env[name].encode()
        if not console.interactive:
            raise UsageError("the key has a password, and nobody to ask", hint=f"set {_NAMES[0]}")
        question = "Password of the new key (may be empty)" if new else "Password of the key"
        answer = click.prompt(
            question, default="", show_default=False, hide_input=True, confirmation_prompt=new, err=True
        )
        return str(answer).encode()

    return password
