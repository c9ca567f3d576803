"""``index.json``: which manifests have which names.

Other tools write here too, so entries are kept as they stand, member for member, and one that cannot be
understood is carried along and never stands in another's way.
"""

from collections.abc import Container
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from weft.oci import (
    Annotation,
    Descriptor,
    Digest,
    DocumentInvalid,
    JsonView,
    MediaType,
    Reference,
    ReferenceInvalid,
)

__all__ = ["MAX_NAMES", "LocalAnnotation", "Name", "add", "attach", "names_in", "remove", "without"]

MAX_NAMES = 100_000


class LocalAnnotation:
    """What weft notes beside a name, on this machine only."""

    UPDATED = "dev.weft.updated"
    """When the name was given, RFC 3339."""
    MODULE_DIGEST = "dev.weft.module.digest"
    MODULE_SIZE = "dev.weft.module.size"
    """The module inside a compat image, so that listing need not unpack it."""
    SUBJECT = "dev.weft.subject"
    """Of an attachment: what it belongs to. It has no name, and goes when its subject goes."""


@dataclass(frozen=True, slots=True)
class Name:
    """One entry of the index."""

    text: str
    """As it stands there; empty when the manifest has no name."""
    reference: Reference | None
    descriptor: Descriptor | None
    problem: str | None
    """Why ``reference`` or ``descriptor`` could not be read."""

    @property
    def shown(self) -> str:
        """What lists call it and ``remove`` understands; never empty."""
        return self.text or f"<none>@{self.descriptor.digest if self.descriptor else 'unknown'}"

    @property
    def subject(self) -> str:
        """The digest of what this is attached to; empty for an image of its own."""
        return self.descriptor.annotations.get(LocalAnnotation.SUBJECT, "") if self.descriptor else ""

    def answers(self, wanted: Reference) -> bool:
        """Whether ``wanted`` means this image. A digest decides; a tag beside it is for people."""
        if self.reference is None or self.descriptor is None or self.reference.name != wanted.name:
            return False
        if wanted.digest is not None:
            return wanted.digest == self.descriptor.digest
        return self.reference.tag == wanted.tag

    def is_called(self, wanted: Reference) -> bool:
        """As ``answers``, but of tag and digest both must fit when both are given."""
        both = wanted.tag is not None and wanted.digest is not None
        return self.answers(wanted) and not (both and self.reference and self.reference.tag != wanted.tag)

    @property
    def updated(self) -> datetime | None:
        """When weft named it; ``None`` when another tool did."""
        noted = self.descriptor.annotations.get(LocalAnnotation.UPDATED, "") if self.descriptor else ""
        try:
            when = datetime.fromisoformat(noted)
        except ValueError:
            return None
        return when if when.tzinfo else when.replace(tzinfo=UTC)


def names_in(index: JsonView | None) -> list[Name]:
    """All entries, readable or not."""
    return [_name(view) for view in index.get("manifests").items(limit=MAX_NAMES)] if index else []


def remove(index: JsonView, wanted: Reference | str) -> tuple[dict[str, Any], list[Name]]:
    """The document without the entries that ``wanted`` means, and those entries.

    A text means the entry that is shown as exactly this, be it a reference or not.
    """
    kept, removed = [], []
    for view in index.get("manifests").items(limit=MAX_NAMES):
        name = _name(view)
        gone = name.shown == wanted if isinstance(wanted, str) else name.is_called(wanted)
        if gone:
            removed.append(name)
        else:
            kept.append(view.value)
    return _document(index, kept), removed


def add(index: JsonView, reference: Reference, manifest: Descriptor, notes: dict[str, str]) -> dict[str, Any]:
    """The document with ``manifest`` under ``reference``, which nothing else is called afterwards."""
    kept = [
        view.value
        for view in index.get("manifests").items(limit=MAX_NAMES)
        if _name(view).reference != reference
    ]
    names = {Annotation.REF_NAME: str(reference), Annotation.CONTAINERD_NAME: str(reference)}
    entry = Descriptor(
        manifest.media_type,
        manifest.digest,
        manifest.size,
        {**notes, **names},
        manifest.artifact_type,
        manifest.platform,
    )
    return _document(index, [*kept, entry.to_json()])


def attach(index: JsonView, attachment: Descriptor, subject: Digest, *, instead: bool) -> dict[str, Any]:
    """The document with ``attachment`` once; ``instead`` of all others of its type at its subject."""

    def stays(name: Name) -> bool:
        there = name.descriptor
        if there is None or name.subject != str(subject):
            return True
        return there.digest != attachment.digest and not (
            instead and there.artifact_type == attachment.artifact_type
        )

    kept = [view.value for view in index.get("manifests").items(limit=MAX_NAMES) if stays(_name(view))]
    notes = {LocalAnnotation.SUBJECT: str(subject)}
    entry = replace(attachment, annotations={**attachment.annotations, **notes})
    return _document(index, [*kept, entry.to_json()])


def without(index: JsonView, gone: Container[Digest]) -> dict[str, Any]:
    """The document without the attachments in ``gone``."""
    kept = [
        view.value
        for view in index.get("manifests").items(limit=MAX_NAMES)
        if not ((name := _name(view)).subject and name.descriptor and name.descriptor.digest in gone)
    ]
    return _document(index, kept)


def _document(index: JsonView, entries: list[Any]) -> dict[str, Any]:
    fresh = {"schemaVersion": 2, "mediaType": MediaType.OCI_INDEX}
    return fresh | index.members() | {"manifests": entries}


def _name(view: JsonView) -> Name:
    text, descriptor, problem = "", None, None
    try:
        annotations = view.get("annotations").texts()
        text = annotations.get(Annotation.CONTAINERD_NAME) or annotations.get(Annotation.REF_NAME) or ""
        descriptor = Descriptor.read(view)
    except DocumentInvalid as error:
        problem = str(error)
    reference = None
    try:
        reference = Reference.parse(text) if text else None
    except ReferenceInvalid as error:
        problem = problem or str(error)
    return Name(text, reference, descriptor, problem)
