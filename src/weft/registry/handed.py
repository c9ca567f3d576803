"""Credentials that others hand to a program while it runs, and take back.

Several may know of one registry, such as those of two teams. The first that was not refused is used; when all
were, they are tried anew in turn, because a right may have been given meanwhile.
"""

from collections.abc import Iterable, Sequence

from weft.registry.credentials import Credential, CredentialFile

__all__ = ["Handed"]


class Handed:
    """Credential files, in the order in which they are asked."""

    def __init__(self, files: Iterable[CredentialFile] = ()) -> None:
        self.files = tuple(files)
        self._refused: dict[tuple[str, str], list[Credential]] = {}

    def hand(self, files: Iterable[CredentialFile]) -> None:
        """These, in place of those before."""
        self.files = tuple(files)
        self._refused.clear()

    def choose(self, registry: str, repository: str, found: Sequence[Credential]) -> Credential | None:
        """Which of ``found`` to show; ``None`` where there is none."""
        refused = self._refused.get((registry, repository), [])
        fresh = [one for one in found if one not in refused]
        if found and not fresh:
            refused.clear()
            return found[0]
        return fresh[0] if fresh else None

    def refuse(self, registry: str, repository: str, credential: Credential) -> None:
        """``registry`` did not take ``credential`` for ``repository``."""
        self._refused.setdefault((registry, repository), []).append(credential)
