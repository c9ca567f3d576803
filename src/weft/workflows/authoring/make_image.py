"""From a project, or a module that is built already, to an image in the local store.

All that can be wrong with the user's words is found before anything is compiled.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from weft.base.files import atomic_write, os_errors_as
from weft.base.tasks import beside
from weft.errors import UsageError
from weft.oci import Digest, Reference, ReferenceInvalid
from weft.toolchains import LANGUAGES, BuilderImage, Toolbox
from weft.workflows.authoring.attaching import OriginFinder, attach_to
from weft.workflows.authoring.build import compile_source
from weft.workflows.authoring.parts import Allow, Say, ignore, never
from weft.workflows.authoring.sources import RUNTIME_CONFIG_FILE, Source, read_runtime_config, read_source

if TYPE_CHECKING:
    from weft.image import RuntimeConfig
    from weft.project import Project

__all__ = ["Made", "Order", "make_image"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What ``weft build`` was asked for."""

    path: Path
    """A project's folder, or the file of a module if ``precompiled``."""
    precompiled: bool = False
    language: str | None = None
    tag: str | None = None
    """The image's name; without it the project's, unless only ``out`` is wanted."""
    out: Path | None = None
    """Where to write the module, too."""
    config: Path | None = None
    """A ``runtime-config.json`` to use instead of what the project says."""
    flavor: str = "solo"
    store: Path
    builder_image: str | None = None
    builder_settings: Mapping[str, str] = field(default_factory=dict)
    scratch: Path | None = None


@dataclass(frozen=True, slots=True)
class Made:
    """What came of it."""

    module: Digest
    size: int
    reference: Reference | None
    """``None`` when no image was wanted."""
    digest: Digest | None
    """Of the image."""
    seconds: float


async def make_image(
    order: Order,
    *,
    toolbox: Toolbox,
    on_line: Say | None = None,
    say: Say = ignore,
    allow: Allow = never,
) -> Made:
    """Do what ``order`` says.

    Raises ``UsageError`` and ``NotFound`` for what is wrong with the order, and what ``compile_source``,
    ``read_module``, ``pack`` and the store raise.
    """
    runtime = read_runtime_config(order.config) if order.config else None
    if order.precompiled:
        reference = _reference(order, order.path.stem)
        module, found = _precompiled(order.path)
        return _keep(order, reference, module, runtime or found, finder=None, seconds=0.0)
    source = read_source(order.path, order.language)
    project = source.project
    reference = _reference(order, project.name)
    finder = OriginFinder(source, toolbox, LANGUAGES[project.language].tools)
    async with beside(finder.look()) as looking:
        built = await compile_source(
            source,
            toolbox=toolbox,
            compiler=_builder(order, source, toolbox),
            on_line=on_line,
            say=say,
            allow=allow,
            scratch=order.scratch,
        )
        await looking
    runtime = runtime or source.runtime
    return _keep(order, reference, built.module, runtime, finder=finder, seconds=built.seconds)


def _reference(order: Order, name: str) -> Reference | None:
    if order.tag:
        reference = Reference.parse(order.tag)
        if reference.digest:
            raise UsageError("-t takes a name; the build gives the digest", hint=f"-t {reference.name}:TAG")
        return reference
    if order.out:
        return None
    try:
        return Reference.parse(f"{name}:latest")
    except ReferenceInvalid as error:
        raise UsageError(f"{name!r} cannot name an image", hint="name it with -t REF") from error


def _builder(order: Order, source: Source, toolbox: Toolbox) -> BuilderImage | None:
    if order.builder_image is None:
        return None
    return BuilderImage(source.project.language, order.builder_image, toolbox.env, order.builder_settings)


def _precompiled(path: Path) -> "tuple[bytes, RuntimeConfig | None]":
    """A module and the runtime-config.json beside it."""
    from weft.workflows.authoring.modules import load_module

    loaded = load_module(str(path))
    beside = path.parent / RUNTIME_CONFIG_FILE
    return loaded.data, read_runtime_config(beside) if beside.is_file() else None


def _keep(
    order: Order,
    reference: Reference | None,
    module: bytes,
    runtime: "RuntimeConfig | None",
    *,
    finder: OriginFinder | None,
    seconds: float,
) -> Made:
    """Put module and image where they were wanted."""
    digest = None
    if reference:
        from weft.image import pack
        from weft.store import Store

        project = finder.source.project if finder else None
        image = pack(module, runtime or _describe(module, project), flavor=order.flavor)
        store = Store(order.store)
        digest = store.put(reference, image)
        if finder:
            attach_to(store, finder, finder.origin(Digest.of(module), reference, digest), image.manifest)
    if order.out:
        with os_errors_as(f"cannot write {order.out}"):
            atomic_write(order.out, module)
    return Made(Digest.of(module), len(module), reference, digest, seconds)


def _describe(module: bytes, project: "Project | None") -> "RuntimeConfig":
    """What wasme wants to be told of a module: the project's word for it, or what the module shows."""
    from weft.image import RuntimeConfig, abi_names
    from weft.wasm import describe, read_module

    claimed = project.abi_versions if project else ()
    budgets = project.budgets.document() if project else {}
    return RuntimeConfig(
        abi_versions=claimed or abi_names(describe(read_module(module)).abi_version),
        root_ids=(project.root_id,) if project else (),
        unknown={"budgets": budgets} if budgets else {},
    )
