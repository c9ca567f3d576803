"""A cursor over a stretch of a module. Every failure names the section and the absolute byte.

Numbers are LEB128 (https://webassembly.github.io/spec/core/binary/values.html#integers): at most
``ceil(bits / 7)`` bytes, and nothing set in the last one beyond ``bits``. Padded numbers are fine,
linkers write them.
"""

from weft.wasm.invalid import ModuleInvalid
from weft.wasm.limits import MAX_NAME_BYTES

__all__ = ["Reader"]

_MORE = 0x80


class Reader:
    """Reads ``data[pos:end]``, never beyond. ``section`` is how errors call this stretch."""

    __slots__ = ("data", "end", "pos", "section")

    def __init__(self, data: bytes, pos: int, end: int, section: str) -> None:
        self.data = data
        self.pos = pos
        self.end = end
        self.section = section

    @property
    def left(self) -> int:
        """Bytes not read yet."""
        return self.end - self.pos

    def invalid(self, problem: str, *, at: int | None = None, hint: str | None = None) -> ModuleInvalid:
        """The error to raise for what stands at ``at``, or at the cursor."""
        offset = self.pos if at is None else at
        return ModuleInvalid(problem, section=self.section, offset=offset, hint=hint)

    def byte(self) -> int:
        """One byte."""
        pos = self.pos
        if pos >= self.end:
            raise self.invalid("ends too early")
        self.pos = pos + 1
        return self.data[pos]

    def u32(self) -> int:
        """An unsigned number of 32 bits; nearly all take one byte or two, so those go first."""
        pos, data = self.pos, self.data
        if pos + 1 < self.end:
            low = data[pos]
            if low < _MORE:
                self.pos = pos + 1
                return low
            high = data[pos + 1]
            if high < _MORE:
                self.pos = pos + 2
                return low & 0x7F | high << 7
        return self.unsigned(32)

    def unsigned(self, bits: int) -> int:
        """An unsigned number of ``bits`` bits."""
        data, start = self.data, self.pos
        value, shift = 0, 0
        for pos in range(start, min(self.end, start - (-bits // 7))):
            byte = data[pos]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < _MORE:
                if value >> bits:
                    raise self.invalid(f"number does not fit into {bits} bits")
                self.pos = pos + 1
                return value
        raise self._endless(bits)

    def signed(self, bits: int) -> int:
        """A signed number of ``bits`` bits."""
        data, start = self.data, self.pos
        value, shift = 0, 0
        for pos in range(start, min(self.end, start - (-bits // 7))):
            byte = data[pos]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < _MORE:
                value -= (byte & 0x40) << shift - 6
                if not -(1 << bits - 1) <= value < 1 << bits - 1:
                    raise self.invalid(f"number does not fit into {bits} bits")
                self.pos = pos + 1
                return value
        raise self._endless(bits)

    def _endless(self, bits: int) -> ModuleInvalid:
        most = -(-bits // 7)
        if self.left < most:
            return self.invalid("ends too early", at=self.end)
        return self.invalid(f"number is longer than {most} bytes")

    def count(self, what: str, limit: int) -> int:
        """How many ``what`` follow: each takes a byte at least, and nobody has more than ``limit``."""
        start = self.pos
        number = self.u32()
        if number > self.left:
            raise self.invalid(f"{number} {what} cannot stand in the {self.left} bytes left", at=start)
        if number > limit:
            raise self.invalid(f"{number} {what} are more than the {limit} allowed", at=start)
        return number

    def skip(self, size: int, what: str, *, at: int | None = None) -> int:
        """Step over ``size`` bytes and give the offset where they began."""
        start = self.pos
        if size > self.end - start:
            raise self.invalid(f"{what} of {size} bytes, but only {self.left} are left", at=at)
        self.pos = start + size
        return start

    def name(self, what: str) -> str:
        """A length and that many bytes of UTF-8."""
        raw = self.raw_name(what)
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            at = self.pos - len(raw) + error.start
            raise self.invalid(f"{what} is not UTF-8", at=at) from None

    def raw_name(self, what: str) -> bytes:
        """A length and that many bytes of anything."""
        start = self.pos
        size = self.u32()
        if size > MAX_NAME_BYTES:
            raise self.invalid(
                f"{what} of {size} bytes is longer than the {MAX_NAME_BYTES} allowed", at=start
            )
        begin = self.skip(size, what, at=start)
        return self.data[begin : self.pos]

    def finish(self) -> None:
        """Refuse bytes that belong to nothing."""
        if self.left:
            raise self.invalid(f"{self.left} bytes too many at the end")
