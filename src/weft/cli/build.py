"""``weft build``."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from weft.cli.console import Console
from weft.cli.progress import progress
from weft.errors import BuildFailed, UsageError

if TYPE_CHECKING:
    from weft.workflows.build import Order

__all__ = ["build"]

_PRECOMPILED = "precompiled"

# Flags of wasme's that say something to its builder images only: option → the builder's variable.
_FOR_BUILDERS = {
    "--build-dir": "BUILD_BASE",
    "--bazel-output": "BAZEL_OUTPUT",
    "--bazel-target": "TARGET",
    "--username": "NPM_USERNAME",
    "--password": "NPM_PASSWORD",
    "--email": "NPM_EMAIL",
}
