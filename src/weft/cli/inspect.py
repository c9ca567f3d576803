"""``weft inspect``."""

import textwrap
from collections.abc import Iterable, Iterator
from typing import Any

import click

from weft.cli.console import Console
from weft.cli.options.registry import access_of, trust_options
from weft.cli.provision import module_named

__all__ = ["inspect"]

_LABEL_WIDTH = 14
_LINE_WIDTH = 100
_KILO = 1000
_PAGES_PER_MIB = 16


@click.command
@click.argument("what", metavar="DIR|FILE|REF")
@click.option(
    "-o",
    "output",
    type=click.Choice(["table", "json", "yaml"]),
    default="table",
    help="How to show it; json and yaml have everything.",
)
@click.option(
    "--show",
    type=click.Choice(["readme", "license", "schema", "scenarios", "sbom", "provenance"]),
    help="Show what travels with the image REF instead, of the store or its registry.",
)
@trust_options
@click.pass_obj
def inspect(console: Console, /, what: str, output: str, show: str | None, **access: Any) -> None:
    """Show what a module is made of.

    ABI version, entry point, allocator, host functions, callbacks, memory, sizes, producers. Nothing
    is run; the project in DIR is built.
    """
    from weft.workflows.authoring.inspect import inspection

    if show:
        _show(console, what, show, output, access)
        return
    document = inspection(module_named(console, what))
    if output != "table":
        console.document(document, output)
        return
    for label, text in _rows(document):
        if text:
            indent = " " * _LABEL_WIDTH
            console.data(
                textwrap.fill(
                    f"{label:<{_LABEL_WIDTH}}{text}",
                    _LINE_WIDTH,
                    subsequent_indent=indent,
                    break_long_words=False,
                    break_on_hyphens=False,
                )
            )


def _show(console: Console, what: str, kind: str, output: str, access: dict[str, Any]) -> None:
    import asyncio

    from weft.oci import Reference
    from weft.store import Store
    from weft.workflows.images.attached import Document, attached_documents
    from weft.workflows.images.registries import open_registries

    reference = Reference.parse(what)

    async def run() -> list[Document]:
        async with open_registries(console.env, [reference.registry], access_of(access)) as registries:
            return await attached_documents(Store(console.places.store), registries, reference, kind)

    found = asyncio.run(run())
    texts = {document.title: document.data.decode(errors="replace") for document in found}
    if output != "table":
        console.document(texts, output)
        return
    for title, text in texts.items():
        if len(texts) > 1:
            console.talk(f"-- {title}")
        console.data(text.rstrip("\n"))


def _rows(document: dict[str, Any]) -> Iterator[tuple[str, str]]:
    plugin = document["proxy_wasm"]
    functions = document["functions"]
    yield "module", document["name"] or document["what"]
    yield "size", f"{_size(document['size'])} ({', '.join(_sections(document))})"
    yield "digest", document["digest"]
    yield "abi", plugin["abi"]
    yield "entry point", plugin["entry_point"] or "none"
    yield "allocator", ", ".join(plugin["allocators"]) or "none"
    yield "memory", "; ".join(_memory(memory) for memory in document["memories"]) or "none"
    yield "callbacks", _joined(plugin["callbacks"]) or "none"
    for number, (module, names) in enumerate(plugin["host_functions"].items()):
        yield "" if number else "imports", f"{module}: {_joined(names)}"
    yield (
        "functions",
        f"{functions['defined']} and {functions['imported']} imported, {functions['named']} named",
    )
    yield "producers", ", ".join(_producers(document))
    yield "features", _joined(document["target_features"])
    for section, note in document["notes"].items():
        yield "note", f"custom section {section!r} cannot be read: {note}"


def _sections(document: dict[str, Any]) -> Iterator[str]:
    """The three largest kinds of bytes."""
    largest = sorted(document["sections"], key=lambda section: -section["size"])[:3]
    return (f"{section['name']} {_size(section['size'])}" for section in largest)


def _memory(memory: dict[str, Any]) -> str:
    most = "" if memory["maximum"] is None else f", at most {_memory_size(memory['maximum'])}"
    kind = ", shared" * memory["shared"] + ", memory64" * memory["memory64"]
    return f"{_memory_size(memory['minimum'])} at the start{most}{kind}"


def _memory_size(pages: int) -> str:
    """Memory comes in pages of 64 KiB, so it is counted in powers of two."""
    return f"{pages * 64} KiB" if pages < _PAGES_PER_MIB else f"{pages / _PAGES_PER_MIB:g} MiB"


def _producers(document: dict[str, Any]) -> Iterator[str]:
    for tools in document["producers"].values():
        for tool in tools:
            yield f"{tool['name']} {tool['version']}".rstrip()


def _joined(names: Iterable[str]) -> str:
    return " ".join(names)


def _size(size: int) -> str:
    """As wasme counts: SI units, ``12.6 kB``."""
    if size < _KILO:
        return f"{size} B"
    return f"{size / _KILO:.1f} kB" if size < _KILO**2 else f"{size / _KILO**2:.1f} MB"
