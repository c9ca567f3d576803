"""The kinds of custom resources that an installation serves."""

from dataclasses import dataclass

from weft.mesh import API_VERSION, KIND

__all__ = ["ASM", "ASM_MISSPELT", "INTENT", "KINDS", "WASME", "Kind"]


@dataclass(frozen=True, slots=True)
class Kind:
    """A namespaced kind: ``Kind("weft.dev/v1alpha1", "FilterDeployment")``."""

    api_version: str
    name: str

    @property
    def group(self) -> str:
        """``weft.dev``."""
        return self.api_version.partition("/")[0]

    @property
    def version(self) -> str:
        """``v1alpha1``."""
        return self.api_version.partition("/")[2]

    @property
    def plural(self) -> str:
        """``filterdeployments``."""
        return f"{self.name.lower()}s"


INTENT = Kind(API_VERSION, KIND)
WASME = Kind("wasme.io/v1", "FilterDeployment")
ASM = Kind("istio.alibabacloud.com/v1beta1", "ASMFilterDeployment")
ASM_MISSPELT = Kind("istio.alibabacloud.com/v1beta1", "ASMFiterDeployment")
KINDS = (INTENT, WASME, ASM, ASM_MISSPELT)
