"""``weft install --render``: an installation as files for other tools."""

from collections.abc import Callable, Mapping
from pathlib import Path

from weft.base.files import atomic_write, os_errors_as
from weft.errors import UsageError
from weft.installing import Files, Installation, chart, kustomization, manifest, objects, stream

__all__ = ["FORMS", "removal", "rendered", "written"]

FORMS: Mapping[str, Callable[[Installation], Files]] = {
    "yaml": manifest,
    "kustomize": kustomization,
    "helm": chart,
}


def rendered(installation: Installation, form: str) -> str:
    """The one file of ``form``; raises ``UsageError`` where there are several."""
    files = FORMS[form](installation)
    if len(files) > 1:
        raise UsageError(
            f"--render {form} makes a folder of {len(files)} files", hint="say where, with --to DIR"
        )
    return next(iter(files.values()))


def written(installation: Installation, form: str, folder: Path) -> list[Path]:
    """Write the files of ``form`` into ``folder``, over what is there; gives their paths."""
    paths = []
    with os_errors_as(f"cannot write to {folder}", name_file=True):
        for name, text in FORMS[form](installation).items():
            atomic_write(folder / name, text.encode())
            paths.append(folder / name)
    return paths


def removal(installation: Installation) -> str:
    """What is to be removed, in that order, for ``kubectl delete -f``."""
    return stream(reversed(objects(installation)))
