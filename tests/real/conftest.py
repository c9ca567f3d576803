"""What only tests with real parts may ask for."""

from pathlib import Path

import pytest

from assemblyscript_projects import PROJECTS, Built, build


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The module of an AssemblyScript project, compiled once a run."""
    made: dict[str, Path] = {}

    def of(name: str) -> Path:
        if name not in made:
            made[name] = build(PROJECTS / name, tmp_path_factory.mktemp(name))
        return made[name]

    return of
