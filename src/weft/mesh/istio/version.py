"""Versions of Istio, as far as what it is told depends on them."""

import re
from dataclasses import dataclass

from weft.errors import UsageError
from weft.mesh.intent.intent import IstioTarget
from weft.mesh.plan.facts import Facts

__all__ = ["IstioVersion", "istio_version"]

_FORM = re.compile(r"v?([0-9]+)\.([0-9]+)(?:[.-].*)?")


@dataclass(frozen=True, slots=True)
class IstioVersion:
    """``1.24``; an unknown one counts as newer than all, except for what must be known to be there."""

    major: int | None = None
    minor: int = 0

    @classmethod
    def parse(cls, text: str) -> "IstioVersion":
        """Read ``1.24``, ``1.24.3``, ``1.24-dev``; empty: unknown. Raises ``UsageError``."""
        if not text:
            return cls()
        found = _FORM.fullmatch(text)
        if found is None:
            raise UsageError(f"{text!r} is no version of Istio", hint="for example 1.24 or 1.24.3")
        return cls(int(found.group(1)), int(found.group(2)))

    @property
    def known(self) -> bool:
        """Whether anybody said which it is."""
        return self.major is not None

    def before(self, minor: int) -> bool:
        """Whether it is known to be older than 1.``minor``."""
        return self.major is not None and (self.major, self.minor) < (1, minor)

    def __str__(self) -> str:
        return f"Istio {self.major}.{self.minor}" if self.known else "Istio (version not known)"


def istio_version(istio: IstioTarget, facts: Facts) -> IstioVersion:
    """What the intent says, else what was found."""
    return IstioVersion.parse(istio.version or facts.istio_version)
