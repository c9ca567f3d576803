"""The plugin of pytest: the project's module is built, once, and every test gets filters of it.

The project is the folder with ``weft.toml`` at or above the test; ``--weft-module FILE`` tests a module that
is built already. Nothing of weft is imported before a test asks for it.
"""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from weft.project import Project
    from weft.testing import Filter

__all__ = ["pytest_addoption", "weft_filter", "weft_module", "weft_project"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--weft-module``."""
    group = parser.getgroup("weft")
    group.addoption("--weft-module", metavar="FILE", help="Test this module instead of building the project.")


@pytest.fixture(scope="session")
def weft_builds() -> dict[Path, bytes]:
    """Project folder → its module; a session builds each project once."""
    return {}


@pytest.fixture
def weft_project(request: pytest.FixtureRequest) -> Path:
    """The folder with ``weft.toml``, at or above the test's."""
    for folder in request.path.parents:
        if (folder / "weft.toml").is_file():
            return folder
    pytest.fail(f"no weft.toml at or above {request.path.parent}", pytrace=False)


@pytest.fixture
def weft_module(request: pytest.FixtureRequest, weft_project: Path, weft_builds: dict[Path, bytes]) -> bytes:
    """The project's module, built when its source changed."""
    from weft.errors import WeftError

    try:
        if named := request.config.getoption("--weft-module"):
            from weft.workflows.authoring.modules import load_module_bytes

            return load_module_bytes(named)
        if weft_project not in weft_builds:
            weft_builds[weft_project] = _built(weft_project)
    except WeftError as error:
        pytest.fail("\n".join(filter(None, (str(error), error.detail, error.hint))), pytrace=False)
    return weft_builds[weft_project]


@pytest.fixture
def weft_filter(weft_project: Path, weft_module: bytes) -> "Iterator[Callable[..., Filter]]":
    """Start filters of the project: ``weft_filter(config={...})`` takes what ``Filter.load`` takes.

    Name, root id and configuration are the project's unless given. They are closed when the test ends.
    """
    from weft.testing import Filter

    project, cache = _project(weft_project), _places().cache / "modules"
    with ExitStack() as stack:

        def start(**words: Any) -> Filter:
            basis = {"name": project.name, "root_id": project.root_id, "config": project.config.default}
            return stack.enter_context(Filter.load(weft_module, **{**basis, "cache": cache, **words}))

        yield start


def _project(folder: Path) -> "Project":
    from weft.workflows.authoring.sources import read_source

    return read_source(folder).project


def _places() -> Any:
    import os

    from weft.base.paths import Places

    return Places.from_env(os.environ)  # noqa: TID251 - pytest's plugins have no other way


def _built(folder: Path) -> bytes:
    import asyncio
    import os

    from weft.toolchains import Toolbox
    from weft.workflows.authoring.build import build_project
    from weft.workflows.authoring.sources import read_source
    from weft.workflows.testing.subject import built_module

    places = _places()
    toolbox = Toolbox(places, os.environ)  # noqa: TID251 - the compiler's environment is the user's

    def build(where: Path) -> bytes:
        return asyncio.run(build_project(where, toolbox=toolbox)).module

    return built_module(read_source(folder), places, build)
