"""What every command that uses images can be told about signatures."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from weft.errors import UsageError

if TYPE_CHECKING:
    from weft.signing import Policy
    from weft.workflows.images.contents import Judge

__all__ = ["judge_of", "policy_of", "verify_options"]

_Command = Callable[..., Any]
_FILE = click.Path(path_type=Path, dir_okay=False)


def verify_options(command: _Command) -> _Command:
    """``--verify-key`` and ``--verify-policy``."""
    policy = click.option(
        "--verify-policy", type=_FILE, metavar="FILE", help="Use only images that this policy allows."
    )
    keys = click.option(
        "--verify-key",
        "verify_keys",
        type=_FILE,
        multiple=True,
        metavar="FILE",
        help="Use only images signed with this public key, or another that is named.",
    )
    return keys(policy(command))


def policy_of(keys: tuple[Path, ...], path: Path | None) -> "Policy | None":
    """The options above as a policy; ``None`` when nothing was asked for."""
    if keys and path:
        raise UsageError("--verify-key and --verify-policy exclude each other")
    if not keys and not path:
        return None
    from weft.workflows.signatures.keys import policy_of_keys, read_policy

    return read_policy(path) if path else policy_of_keys(keys)


def judge_of(keys: tuple[Path, ...], path: Path | None) -> "Judge | None":
    """The options above as what decides about an image that is fetched."""
    policy = policy_of(keys, path)
    if policy is None:
        return None
    from weft.workflows.signatures.verify import judge_by

    return judge_by(policy)
