"""What a token is to allow: ``repository:team/filter:pull,push`` (distribution "Token Scope"). Pure."""

from collections.abc import Iterable

__all__ = ["Scopes", "merge", "pull", "push", "remove"]

Scopes = frozenset[str]


def pull(repository: str) -> Scopes:
    """Read one repository."""
    return frozenset({f"repository:{repository}:pull"})


def push(repository: str, mount_from: str | None = None) -> Scopes:
    """Write one repository, and read the one that blobs are mounted from."""
    return frozenset({f"repository:{repository}:pull,push"}) | (
        pull(mount_from) if mount_from else frozenset()
    )


def remove(repository: str) -> Scopes:
    """Delete from one repository."""
    return frozenset({f"repository:{repository}:pull,delete"})


def merge(*scopes: Iterable[str]) -> Scopes:
    """All of them, with the actions on one resource in one entry."""
    actions: dict[str, set[str]] = {}
    for scope in {scope for each in scopes for scope in each}:
        resource, _, wanted = scope.rpartition(":")
        actions.setdefault(resource, set()).update(wanted.split(","))
    return frozenset(f"{resource}:{','.join(sorted(wanted))}" for resource, wanted in actions.items())
