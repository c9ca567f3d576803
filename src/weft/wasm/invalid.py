"""What is wrong with bytes that should have been a module, and where."""

from weft.errors import UsageError

__all__ = ["ModuleInvalid"]


class ModuleInvalid(UsageError):
    """Not a WebAssembly core module: the section, the absolute offset of the byte, what is wrong there."""

    def __init__(self, problem: str, *, section: str, offset: int, hint: str | None = None) -> None:
        super().__init__(problem, hint=hint)
        self.problem = problem
        self.section = section
        self.offset = offset
        self.what = "module"
        """How the user named it; ``read_module`` fills it in."""

    def __str__(self) -> str:
        """``filter.wasm: import section, byte 31 (0x1f): name is not UTF-8``."""
        return f"{self.what}: {self.section}, byte {self.offset} ({self.offset:#x}): {self.problem}"
