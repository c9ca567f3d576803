"""What a Kubernetes API says no with.

::

    WeftError
    └── KubeError        the API's own words, code and reason (`Status` of the API conventions)
        ├── Missing      404: no such object, or no such kind
        ├── Conflict     409: somebody else changed it, or owns a field
        ├── Denied       401, 403
        └── Expired      410: a watch starts too far in the past
"""

from collections.abc import Mapping
from typing import Any

from weft.errors import WeftError

__all__ = ["Conflict", "Denied", "Expired", "KubeError", "Missing", "refusal"]

_NOT_FOUND = 404
_CONFLICT = 409
_GONE = 410
_UNKNOWN = 401
_DENIED = frozenset({_UNKNOWN, 403})
# Codes after which the same request may be right: API conventions, "HTTP Status codes".
_TEMPORARY = frozenset({429, 500, 502, 503, 504})


class KubeError(WeftError):
    """A refusal; ``code`` and ``reason`` are the API's, ``wait`` the seconds it asks us to stay away."""

    plural = ""
    """The kind of what was asked for, as paths have it, where the API says it."""

    def __init__(
        self, message: str, *, code: int, reason: str = "", wait: float = 0.0, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.reason = reason
        self.wait = wait

    @property
    def temporary(self) -> bool:
        """Whether trying again may help."""
        return self.code in _TEMPORARY


class Missing(KubeError):
    """There is no such object, or no such kind."""

    exit_code = 4


class Conflict(KubeError):
    """Somebody else has changed the object, or owns a field of it.

    ``fields`` are the contested ones, each with who owns it.
    """

    fields: tuple[tuple[str, str], ...] = ()


class Denied(KubeError):
    """We are not who may do this."""


class Expired(KubeError):
    """The history that was asked for is no longer kept: list again."""


def refusal(what: str, status: Any, code: int = 0, wait: float = 0.0) -> KubeError:
    """The error for an answer: ``what`` was asked, ``status`` is the answer's body as far as it is one.

    Without a ``code`` of HTTP's the body says it.
    """
    status = _mapping(status)
    error = _refusal(what, status, code, wait)
    error.plural = str(_mapping(status.get("details")).get("kind") or "")
    return error


def _refusal(what: str, status: Mapping[str, Any], code: int, wait: float) -> KubeError:
    details = _mapping(status.get("details"))
    message, reason = str(status.get("message") or ""), str(status.get("reason") or "")
    causes = details.get("causes")
    code = code or int(_number(status.get("code")))
    wait = max(wait, _number(details.get("retryAfterSeconds")))
    said = f"{what}: {_line(message) or f'status {code}'}"
    if code == _NOT_FOUND:
        return Missing(said, code=code, reason=reason)
    if code in _DENIED:
        hint = "the credential is not, or no longer, good: log in again" if code == _UNKNOWN else None
        return Denied(said, code=code, reason=reason, hint=hint)
    if code == _GONE or reason == "Expired":
        return Expired(said, code=_GONE, reason=reason)
    if code == _CONFLICT and reason != "AlreadyExists":
        return _conflict(what, said, reason, causes if isinstance(causes, list) else [])
    return KubeError(said, code=code, reason=reason, wait=wait)


def _conflict(what: str, said: str, reason: str, causes: list[Any]) -> Conflict:
    fields = tuple(
        (str(one.get("field")), _manager(str(one.get("message"))))
        for one in map(_mapping, causes)
        if one.get("reason") == "FieldManagerConflict"
    )
    if not fields:
        return Conflict(said, code=_CONFLICT, reason=reason)
    owned = ", ".join(f"{field} belongs to {manager}" for field, manager in fields)
    error = Conflict(f"{what}: {owned}", code=_CONFLICT, reason=reason)
    error.fields = fields
    return error


def _manager(message: str) -> str:
    """Who, of `conflict with "helm" using apps/v1`."""
    return message.split('"')[1] if message.count('"') > 1 else message


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int) else 0.0


def _line(text: str) -> str:
    """Foreign words as one line."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
