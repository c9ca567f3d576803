"""Which real parts this machine has, asked once a run.

A part is a name a test can need; its probe gives ``None`` when it is there, or why it is not.
"""

import os
import shutil
from collections.abc import Callable, Iterable
from functools import cache, partial
from pathlib import Path

from weft.base.paths import Places
from weft.toolchains import LANGUAGES, Toolbox


def toolbox() -> Toolbox:
    """The tools of this machine and user."""
    return Toolbox(Places.from_env(os.environ), os.environ)


def envoy_binary() -> Path | None:
    """The Envoy that weft would run."""
    found = toolbox().find("envoy")
    return found.path if found else None


def _without_tools(*names: str) -> str | None:
    return "; ".join(one.reason for one in toolbox().missing(names)) or None


def _without_compiler(language: str) -> str | None:
    return _without_tools(*LANGUAGES[language].tools)


PROBES: dict[str, Callable[[], str | None]] = {
    **{language: partial(_without_compiler, language) for language in LANGUAGES},
    "envoy": partial(_without_tools, "envoy"),
}


def tool(name: str, program: str) -> Path | None:
    """A program in weft's tools folder, of whatever version is there."""
    found = sorted((Places.from_env(os.environ).tools / name).glob(f"*/{program}"))
    return found[-1] if found else None


def _why_no_registry(name: str) -> Callable[[], str | None]:
    return lambda: None if tool(name, "registry") else "scripts/registry-parts has not fetched it"


def _why_no_sigstore_js() -> str | None:
    if not shutil.which("node"):
        return "node is not on PATH"
    return None if tool("sigstore-js", "node_modules") else "scripts/sigstore-js-part has not fetched it"


def _why_no_kubernetes() -> str | None:
    built = tool("kubernetes", "kube") and tool("etcd", "etcd")
    return None if built else "scripts/kube-part has not built it"


PROBES |= {
    "kubernetes": _why_no_kubernetes,
    "istiod": lambda: None if tool("istiod", "istiod") else "scripts/istiod-part has not built it",
    "helm": lambda: None if tool("helm", "helm") else "scripts/install-parts has not built it",
    "kustomize": lambda: None if tool("kustomize", "kustomize") else "scripts/install-parts has not built it",
    "distribution": _why_no_registry("distribution"),
    "docker-registry": _why_no_registry("docker-registry"),
    "cosign": lambda: None if tool("cosign", "cosign") else "scripts/cosign-part has not built it",
    "sigstore-js": _why_no_sigstore_js,
    "openssl": lambda: None if shutil.which("openssl") else "openssl is not on PATH",
}


@cache
def _why_missing(part: str) -> str | None:
    return PROBES[part]()


def missing_parts(parts: Iterable[str]) -> dict[str, str]:
    """Part → reason, for those of ``parts`` that are not here."""
    return {part: why for part in parts if (why := _why_missing(part)) is not None}
