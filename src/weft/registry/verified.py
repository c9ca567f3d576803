"""Bytes that are what their descriptor says, or a failure before the last of them is handed on. Pure."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from weft.oci import Descriptor
from weft.registry.errors import ContentMismatch

__all__ = ["verified"]


async def verified(
    chunks: AsyncGenerator[bytes, None], descriptor: Descriptor, where: str
) -> AsyncGenerator[bytes, None]:
    """``chunks``, hashed and counted on the way; the last one is held back until all is known to be right.

    So whoever writes them on never has a whole blob that is wrong. Raises ``ContentMismatch``.
    """
    hasher = descriptor.digest.hasher()
    count = 0
    held = b""
    async with aclosing(chunks):
        async for chunk in chunks:
            count += len(chunk)
            if count > descriptor.size:
                raise ContentMismatch(
                    f"{where} gave more than the {descriptor.size} bytes of blob {descriptor.digest}"
                )
            hasher.update(chunk)
            if held:
                yield held
            held = chunk
    if count < descriptor.size:
        raise ContentMismatch(
            f"{where} gave only {count} of the {descriptor.size} bytes of blob {descriptor.digest}"
        )
    if not descriptor.digest.matches(hasher):
        raise ContentMismatch(
            f"{where} gave other bytes than blob {descriptor.digest}: "
            f"{descriptor.digest.algorithm}:{hasher.hexdigest()}"
        )
    if held:
        yield held
