"""Write a scenario that was found to a project, for ``weft test`` to run like any other."""

import hashlib
from dataclasses import replace
from pathlib import Path

from weft.base.files import atomic_create, os_errors_as
from weft.scenario import Case, Expect, text_of
from weft.workflows.testing.findings import Finding, Kind

__all__ = ["keep"]

_MOST_TITLE = 100
_EXPECT = {Kind.HELD: Expect(held=False), Kind.LEAK: Expect(leaks=False)}
"""A filter that fails, and one that is another on Envoy, are noticed by any scenario."""


def keep(finding: Finding, case: Case, folder: Path, origin: str) -> Path:
    """Write ``fuzz-….yaml`` to the folder, a scenario that does not pass while there is something to find.

    The same scenario has the same name, so a file that is there already says what this one would.
    """
    wanted = replace(case, expect=_EXPECT.get(finding.kind))
    name = "fuzz-" + hashlib.sha256(text_of([replace(wanted, name="")]).encode()).hexdigest()[:8]
    title = f"{name}: {finding.kind}: {finding.title}"[:_MOST_TITLE].replace("${", "$")
    text = f"# Found by {origin}\n{text_of([replace(wanted, name=title)])}"
    path = folder / f"{name}.yaml"
    with os_errors_as(f"cannot write {path}"):
        try:
            atomic_create(path, text.encode())
        except FileExistsError:
            return path
    return path
