"""wasme's names for ABIs, and which of them a module may honestly claim.

wasme names an ABI after the commit of Envoy that hosts it, and refuses to deploy an image none of whose
names belongs to the mesh's version. A name is honest for a module when the named host calls and offers
everything the module was compiled against:

* 0.1.0 was in Envoy until August 2020, when 0.2.0 gave the header callbacks a third argument, so a 0.1.0
  module claims the hosts from before and no later one;
* 0.2.1 only adds ``proxy_get_log_level`` to 0.2.0: a 0.2.0 module runs on both, a 0.2.1 module only on
  hosts that know it;
* a module of another or no ABI claims nothing, and wasme then does not check.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from weft.image.errors import ImageInvalid

__all__ = ["abi_names", "check_platform"]

_DECEMBER_2019: Final = "v0-097b7f2e4cc1fb490cc1943d0d633655ac3c522f"
_JULY_2020: Final = "v0-edc016b1fa5adca3ebd3d7020eaed0ad7b8814ca"
_AUGUST_2020: Final = "v0-4689a30309abf31aee9ae36e73d34b1bb182685f"
_OCTOBER_2020: Final = "v0.2.1"

_HONEST: Final[Mapping[str, tuple[str, ...]]] = {
    "0.1.0": (_DECEMBER_2019, _JULY_2020),
    "0.2.0": (_AUGUST_2020, _OCTOBER_2020),
    "0.2.1": (_OCTOBER_2020,),
}

# wasme's registry: name -> platform -> versions. wasme checks Istio's only.
_PLATFORMS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    _DECEMBER_2019: {"istio": ("1.5", "1.6")},
    _JULY_2020: {"gloo": ("1.5",)},
    _AUGUST_2020: {"istio": ("1.7", "1.8", "1.9")},
    _OCTOBER_2020: {"gloo": ("1.6",)},
}
_MAJOR_MINOR = re.compile(r"(\d+\.\d+)(?:\.|$)")


def abi_names(abi: str | None) -> tuple[str, ...]:
    """The names a module of proxy-wasm ABI ``abi`` (``"0.2.1"``) may claim; none when nobody knows."""
    return _HONEST.get(abi or "", ())


def check_platform(names: Sequence[str], platform: str, version: str) -> None:
    """Raise ``ImageInvalid`` when none of an image's ``names`` runs on ``platform`` (``istio``) ``version``.

    As in wasme, an image that claims nothing is not checked and one name that fits is enough.
    """
    known = [name for name in names if name in _PLATFORMS]
    if not names:
        return
    if not known:
        raise ImageInvalid(f"abi versions [{' '.join(names)}] not found")
    match = _MAJOR_MINOR.match(version)
    if not match or not any(match[1] in _PLATFORMS[name].get(platform, ()) for name in known):
        raise ImageInvalid(
            f"no versions of {platform} found which support abi versions [{' '.join(names)}]",
            hint=f"{platform} here is {version}; build the filter for the ABI of that version",
        )
