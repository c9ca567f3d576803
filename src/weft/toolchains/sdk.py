"""Where weft's own SDKs lie, for editors and for compilers."""

from pathlib import Path

from weft.errors import UsageError

__all__ = ["sdk_folder"]

_OWN = {
    "cpp": "cpp",
    "assemblyscript": "assemblyscript",
}
_FOREIGN = {
    "go": "the module github.com/proxy-wasm/proxy-wasm-go-sdk, named in go.mod",
    "rust": "the crate proxy-wasm, named in Cargo.toml",
}


def sdk_folder(language: str) -> Path:
    """The folder with weft's SDK for ``language``. Raises ``UsageError`` where it has none."""
    if language in _OWN:
        return Path(__file__).parent / "sdk" / _OWN[language]
    if language in _FOREIGN:
        raise UsageError(f"{language} filters use {_FOREIGN[language]}; weft brings no SDK of its own")
    raise UsageError(
        f"there is no language {language!r}", hint=f"languages: {', '.join(sorted({*_OWN, *_FOREIGN}))}"
    )
