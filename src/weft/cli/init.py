"""``weft init``."""

from pathlib import Path

import click

from weft.cli.console import Console
from weft.errors import UsageError

__all__ = ["init"]

# The proxy-wasm ABI that wasme's platforms understand. Everything later understands 0.2.1, the default.
_PLATFORM_ABI = {
    "istio": {"1.5.x": "0.1.0", "1.6.x": "0.1.0", "1.7.x": "0.2.0", "1.8.x": "0.2.0", "1.9.x": "0.2.0"},
    "gloo": {"1.3.x": "0.1.0", "1.5.x": "0.1.0", "1.6.x": "0.2.1"},
}
_CHOOSES_ABI = "cpp"  # the other SDKs speak 0.2.1 only


@click.command
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--language", metavar="NAME", help="assemblyscript, cpp, go or rust (tinygo gives go).")
@click.option(
    "--example", metavar="NAME", default="add-header", show_default=True,
    help="add-header, path-rewrite, external-auth or metrics.",
)  # fmt: skip
@click.option(
    "--platform", metavar="NAME", default="", help="istio or gloo, for old proxies (with a version)."
)
@click.option("--platform-version", metavar="VERSION", default="", help="For example 1.9.x.")
@click.option("--disable-prompt", is_flag=True, help="Never ask; fail when something is missing.")
@click.pass_obj
def init(
    console: Console,
    folder: Path,
    language: str | None,
    example: str,
    platform: str,
    platform_version: str,
    disable_prompt: bool,
) -> None:
    """Make a new filter project that builds and works untouched.

    The classes, the root id and the packages are named after DIR.
    """
    from weft.templates import LANGUAGES
    from weft.workflows.authoring.init import create_project, refuse_used_folder

    refuse_used_folder(folder)
    if not language:
        if disable_prompt or not console.interactive:
            raise UsageError("--language is missing", hint=f"one of {', '.join(LANGUAGES)}")
        language = console.choose("Which language?", LANGUAGES)
    tiny = language == "tinygo"
    language = "go" if tiny else language
    abi = _abi(console, language, platform, platform_version)
    created = create_project(folder, language=language, example=example, abi=abi)
    console.talk(f"made {created.folder}/ ({language}, {example}):")
    for path in created.files:
        console.talk(f"  {path}")
    if tiny:
        console.talk('\nTo compile with TinyGo, put `compiler = "tinygo"` under [build] in weft.toml.')
    console.talk(f"\nNext:\n  weft run {created.folder}        build it and send traffic through it")


def _abi(console: Console, language: str, platform: str, version: str) -> str | None:
    """The ABI that wasme's platform flags ask for; ``None`` means the SDK's own, 0.2.1."""
    if not platform:
        if version:
            raise UsageError("--platform-version needs --platform", hint="add --platform istio or gloo")
        return None
    versions = _PLATFORM_ABI.get(platform)
    if versions is None:
        raise UsageError(f"unknown platform {platform!r}", hint=f"one of {', '.join(_PLATFORM_ABI)}")
    minor = ".".join(version.split(".")[:2])
    abi = versions.get(f"{minor}.x", "0.2.1")
    if abi == "0.2.1":
        return None
    if language != _CHOOSES_ABI:
        console.talk(
            f"note: {platform} {version} wants ABI {abi}, and the {language} SDK speaks 0.2.1 only; "
            "use cpp for a proxy that old"
        )
        return None
    return abi
