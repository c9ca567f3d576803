"""Whose code stands at an offset, by the names a module keeps."""

from bisect import bisect_right

from weft.wasm import Kind, Module

__all__ = ["function_at", "function_name"]


def function_at(module: Module, file_offset: int) -> int | None:
    """The number of the function whose code holds ``file_offset``; ``None`` when no function's does."""
    bodies = module.bodies
    place = bisect_right(bodies, file_offset, key=lambda body: body.offset) - 1
    if place < 0 or file_offset >= bodies[place].offset + bodies[place].size:
        return None
    return module.imported_functions + place


def function_name(module: Module, index: int) -> str:
    """As the name section has it, else an export, else ``function 7``."""
    if name := module.function_names.get(index):
        return name
    exported = (name for name, at in module.exported(Kind.FUNC).items() if at == index)
    return next(exported, f"function {index}")
