"""Lists that come in pages: tags, referrers (distribution-spec, "Listing tags", "Listing Referrers").

The next page is where ``Link: <…>; rel="next"`` says, at the registry itself; a list that does not end is cut
with an error, not followed for ever.
"""

import re
from collections.abc import AsyncIterator
from urllib.parse import quote

from weft.net import Response
from weft.oci import Descriptor, Digest, Index, JsonView, MediaType, parse_manifest
from weft.registry.connection import Connection, Request
from weft.registry.elsewhere import Misled, join, same_origin
from weft.registry.errors import RegistryError
from weft.registry.scopes import pull

__all__ = ["referrers", "tags"]

_OK, _NOT_FOUND = 200, 404
# A page of 1000 tags of 128 characters, with room; ECR refuses to be asked for more than 1000.
_MAX_PAGE_BYTES = 4 * 1024 * 1024
_PAGE = 1000
_MAX_PAGES = 1000
_NEXT = re.compile(r"<([^>]*)>\s*;(?:[^,]*;)?\s*rel=\"?next\"?", re.IGNORECASE)


async def tags(connection: Connection, repository: str) -> AsyncIterator[str]:
    """The tags, in the registry's order. Raises ``RegistryError`` (404) when there is no such repository."""
    start = f"/v2/{repository}/tags/list?n={_PAGE}"
    async for raw, _ in _pages(connection, repository, start, frozenset({_OK})):
        view = JsonView.parse(raw, document=f"the tags of {repository}", limit=_MAX_PAGE_BYTES)
        for tag in view.get("tags").items(limit=100_000):
            yield tag.text()


async def referrers(
    connection: Connection, repository: str, subject: Digest, artifact_type: str = ""
) -> list[Descriptor] | None:
    """What says that it belongs to ``subject``; ``None`` when the registry has no referrers API."""
    query = f"?artifactType={quote(artifact_type, safe='')}" if artifact_type else ""
    start = f"/v2/{repository}/referrers/{subject}{query}"
    found: list[Descriptor] = []
    try:
        async for raw, kind in _pages(connection, repository, start, frozenset({_OK, _NOT_FOUND})):
            if kind is None:
                return None
            if not kind.startswith(MediaType.OCI_INDEX):
                return None  # a registry that answers anything with something
            index = parse_manifest(raw, kind)
            found += index.manifests if isinstance(index, Index) else ()
    except RegistryError as error:
        if error.status in {400, 405}:  # older registries take `referrers` for part of a name
            return None
        raise
    return found


async def _pages(
    connection: Connection, repository: str, start: str, expect: frozenset[int]
) -> AsyncIterator[tuple[bytes, str | None]]:
    """Each page's bytes and media type; ``None`` instead of a type when there is no list."""
    home, target = await connection.home(), start
    seen = set[str]()
    for _ in range(_MAX_PAGES):
        request = Request(method="GET", target=target, scopes=pull(repository), expect=expect)
        async with connection.ask(request) as response:
            if response.status == _NOT_FOUND:
                yield b"", None
                return
            raw = await response.read(_MAX_PAGE_BYTES, "a page of a list")
            following = _following(response, home)
            yield raw, response.headers.get("Content-Type", "")
        seen.add(target)
        if following is None:
            return
        if not same_origin(following, home):
            raise Misled(f"{connection.registry} continues its list on another host; nothing was sent there")
        if following in seen:
            raise Misled(f"{connection.registry} gives the same page of a list again and again")
        target = following
    raise Misled(f"{connection.registry} gives a list of more than {_MAX_PAGES} pages")


def _following(response: Response, home: str) -> str | None:
    for header in response.all("Link"):
        if match := _NEXT.search(header):
            return join(response.url, str(match[1]), home)
    return None
