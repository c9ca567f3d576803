"""What a registry said no with.

::

    WeftError
    ├── RegistryError     no success: method, URL, status, the registry's own codes and words
    │   └── AuthFailed    the credential is missing, wrong, or not enough
    └── ContentMismatch   bytes that are not what their digest or size says; never used, never kept

A body of an error is foreign: it is read up to a limit, and only printable characters of it are shown.
"""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from weft.errors import WeftError
from weft.net import HttpFailure, Response

__all__ = ["AuthFailed", "Complaint", "ContentMismatch", "RegistryError", "complaints", "refusal"]

# An error is a few lines; a proxy's HTML page is cut, not kept.
_MAX_ERROR_BYTES = 64 * 1024
_MAX_WORDS = 400
_MAX_COMPLAINTS = 5
_PASSING = frozenset({408, 429, 499, 500, 502, 503, 504})
NOT_FOUND = 404
_TOO_MANY = 429


@dataclass(frozen=True, slots=True)
class Complaint:
    """One entry of the registry's ``errors`` (distribution-spec "Error Codes")."""

    code: str
    words: str

    def __str__(self) -> str:
        return f"{self.code}: {self.words}" if self.code and self.words else self.code or self.words


class RegistryError(WeftError):
    """A registry's refusal, with its own words."""

    def __init__(
        self,
        method: str,
        url: str,
        status: int,
        complaints: tuple[Complaint, ...] = (),
        *,
        hint: str | None = None,
        wait: float = 0.0,
    ) -> None:
        """``wait`` is what Retry-After asks for, in seconds."""
        words = "; ".join(str(complaint) for complaint in complaints)
        super().__init__(
            f"{method} {without_query(url)}: {status}{f' {words}' if words else ''}",
            hint=hint or _hint(method, url, status, complaints),
        )
        self.method = method
        self.url = url
        self.status = status
        self.codes = tuple(complaint.code for complaint in complaints)
        self.complaints = complaints
        self.wait = wait

    @property
    def temporary(self) -> bool:
        """Whether the same request may succeed later."""
        return self.status in _PASSING


class AuthFailed(RegistryError):
    """401 or 403 that no token of ours can cure. Trying again changes nothing."""

    @property
    def temporary(self) -> bool:
        """Never: a wrong password stays wrong."""
        return False


class ContentMismatch(WeftError):
    """Content that is not what it should be."""

    temporary = False


def complaints(body: bytes) -> tuple[Complaint, ...]:
    """The entries of an error document; a body that is none becomes one complaint of its first words."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return _plain(body)
    entries = document.get("errors") if isinstance(document, Mapping) else None
    if not isinstance(entries, list):
        words = document.get("details") or document.get("message") if isinstance(document, Mapping) else None
        return (Complaint("", _line(words)),) if isinstance(words, str) else ()
    return tuple(
        Complaint(_line(entry.get("code")), _words(entry))
        for entry in entries[:_MAX_COMPLAINTS]
        if isinstance(entry, Mapping)
    )


async def refusal(method: str, response: Response) -> RegistryError:
    """What ``response``, which is no success, says; its body is read as far as it is useful."""
    body = bytearray()
    with contextlib.suppress(HttpFailure):  # the status alone says enough
        async for chunk in response.chunks():
            body += chunk
            if len(body) > _MAX_ERROR_BYTES:
                break
    words = complaints(bytes(body[:_MAX_ERROR_BYTES]))
    return RegistryError(method, response.url, response.status, words, wait=response.retry_after)


def without_query(url: str) -> str:
    """``url`` as far as it may be shown: a query can hold an upload's or a bucket's secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _words(entry: Mapping[str, object]) -> str:
    message = _line(entry.get("message"))
    detail = entry.get("detail")
    # Docker Hub and ECR put the useful half here; maps are for machines.
    return f"{message} ({_line(detail)})" if isinstance(detail, str) and detail else message


def _plain(body: bytes) -> tuple[Complaint, ...]:
    try:
        text = body.decode().strip()
    except UnicodeDecodeError:
        return ()
    if not text or text.startswith("<"):  # a proxy's HTML page says nothing the status does not
        return ()
    return (Complaint("", _line(text)),)


def _line(value: object) -> str:
    text = value if isinstance(value, str) else ""
    text = "".join(letter if letter.isprintable() else " " for letter in text[: 4 * _MAX_WORDS])
    return " ".join(text.split())[:_MAX_WORDS]


def _hint(method: str, url: str, status: int, complaints: tuple[Complaint, ...]) -> str | None:
    """What helped people who met this answer before."""
    path = urlsplit(url).path
    words = " ".join(str(complaint) for complaint in complaints).lower()
    writes = method in {"POST", "PUT", "PATCH"}
    known = (
        # Oracle's OCIR, when the name does not start with the tenancy (wasm issue 264).
        (
            "no scope specified" in words,
            "the repository's name must start with the tenancy: region.ocir.io/TENANCY/NAME",
        ),
        # ECR answered wasm artifacts with 405, quay with 415 (wasm issues 129 and 208).
        (
            method == "PUT" and "/manifests/" in path and status in {400, 405, 415},
            "this registry does not take wasm artifacts of this media type; try --flavor compat",
        ),
        ("https server" in words, "the registry speaks TLS on this port; leave out --plain-http"),
        (
            method == "DELETE" and status in {400, 405} and "/manifests/" in path and "sha256:" not in path,
            "this registry does not delete a tag alone; NAME@DIGEST deletes the manifest with all its tags",
        ),
        (
            method == "DELETE" and status in {400, 405},
            "this registry does not allow it; docker's needs REGISTRY_STORAGE_DELETE_ENABLED=true",
        ),
        (
            writes and status == NOT_FOUND,
            "some registries (ECR, Artifact Registry) want the repository created before the first push",
        ),
        (status == _TOO_MANY, "the registry limits how often it is asked; log in, or try again later"),
    )
    return next((hint for applies, hint in known if applies), None)
