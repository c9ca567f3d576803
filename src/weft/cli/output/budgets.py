"""Budgets and figures for people and for scripts."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from weft.workflows.measuring.budgets import Verdict

__all__ = ["verdict_document", "verdict_line"]


def verdict_line(verdict: "Verdict") -> str:
    """``FAIL  budget memory_per_vm: 1.06 MiB of 512 KiB``."""
    mark = "ok  " if verdict.kept else "FAIL"
    return f"{mark}  budget {verdict.limit.name}: {verdict.shown} of {verdict.limit.text}"


def verdict_document(verdict: "Verdict") -> dict[str, Any]:
    """The same for JSON, as numbers."""
    limit = verdict.limit
    return {
        "name": limit.name,
        "unit": limit.unit,
        "budget": limit.most,
        "value": verdict.value,
        "kept": verdict.kept,
    }
