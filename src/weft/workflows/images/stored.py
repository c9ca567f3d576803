"""Look after the images of this machine: list, tag, remove, and show what was pruned."""

from typing import Any

from weft.oci import Digest, Reference
from weft.store import Entry, Freed, Store

__all__ = [
    "entry_document",
    "freed_document",
    "list_images",
    "remove_images",
    "tag_image",
]


def list_images(store: Store) -> list[Entry]:
    """All images, by name, then oldest first; broken ones too."""
    return sorted(store.entries(), key=lambda entry: (repository(entry), entry.updated, entry.name))


def tag_image(store: Store, source: str, target: str) -> tuple[Reference, Digest]:
    """Give ``source`` the name ``target`` too; gives the whole name and what it now means."""
    name = Reference.parse(target)
    return name, store.tag(Reference.parse(source), name)


def remove_images(store: Store, texts: tuple[str, ...]) -> list[str]:
    """Forget the names ``texts``, all or none; gives those that went.

    What ``weft list`` shows is understood even where it is no reference.
    """
    literal = {entry.name for entry in store.entries()}
    return store.remove(*(_meant(text, literal) for text in texts))


def entry_document(entry: Entry) -> dict[str, Any]:
    """One image as ``weft list -o json`` shows it.

    ::

        {"reference": "hub.example.com/team/add-header:v1",   // as the store has it
         "name": "hub.example.com/team/add-header",           // null when the name is no reference
         "tag": "v1",                                         // null when it is named by digest only
         "digest": "sha256:…",                                // of the manifest; null when unreadable
         "flavor": "solo",                                    // solo, compat, cncf; null when unknown
         "module": {"digest": "sha256:…", "size": 12577},     // null when unknown
         "size": 13742,                                       // bytes of manifest, config and layers
         "updated": "2026-11-20T12:00:00+00:00",
         "path": "/…/blobs/sha256/…",                         // the module, or the layer that holds it
         "problem": null}                                     // a sentence when the image is broken
    """
    module = entry.module
    return {
        "reference": entry.name,
        "name": entry.reference.name if entry.reference else None,
        "tag": entry.reference.tag if entry.reference else None,
        "digest": str(entry.digest) if entry.digest else None,
        "flavor": entry.flavor,
        "module": {"digest": str(module.digest), "size": module.size} if module else None,
        "size": entry.size,
        "updated": entry.updated.isoformat(timespec="seconds"),
        "path": str(entry.path),
        "problem": entry.problem,
    }


def freed_document(freed: Freed, *, dry_run: bool) -> dict[str, Any]:
    """What ``weft prune -o json`` shows.

    ::

        {"deleted": ["sha256:…"],   // or what would be
         "leftovers": 0,            // files of killed processes
         "size": 12577,             // bytes of both
         "dry_run": false}

    The command adds ``"caches": {"deleted": 0, "size": 0}``: build caches of projects, and their bytes.
    """
    return {
        "deleted": [str(digest) for digest in freed.blobs],
        "leftovers": freed.leftovers,
        "size": freed.size,
        "dry_run": dry_run,
    }


def repository(entry: Entry) -> str:
    """The name without tag and digest, where there is one."""
    return entry.reference.name if entry.reference else entry.name


def _meant(text: str, literal: set[str]) -> Reference | str:
    if text in literal:
        return text
    reference = Reference.parse(text)
    return str(reference) if str(reference) in literal else reference
