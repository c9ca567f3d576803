"""Where weft keeps things: one value, built once from the environment by the program's start.

``WEFT_HOME`` moves everything; otherwise the system's own places for data and caches are used
(XDG on Linux, ~/Library on macOS).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Places"]


@dataclass(frozen=True, slots=True)
class Places:
    """Folders on this machine. None of them need exist yet."""

    store: Path
    """Images: an OCI image layout. Losing it loses builds that were not pushed."""
    tools: Path
    """Compilers and Envoy that ``weft toolchain install`` fetched. Can be fetched again."""
    cache: Path
    """Build caches. May be deleted at any time."""

    @property
    def credentials(self) -> Path:
        """What ``weft login`` keeps: a file of docker's format, for this user's eyes only."""
        return self.tools.parent / "credentials.json"

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Places":
        """``WEFT_HOME``, else the platform's folders for this user; ``WEFT_STORE`` moves the store alone."""
        if home := env.get("WEFT_HOME"):
            data, cache = Path(home), Path(home) / "cache"
        else:
            import platformdirs

            data = platformdirs.user_data_path("weft")
            cache = platformdirs.user_cache_path("weft")
        store = env.get("WEFT_STORE")
        return cls(store=Path(store) if store else data / "store", tools=data / "tools", cache=cache)
