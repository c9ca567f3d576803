"""The kinds of custom resources that say what is wanted of a filter, and that the operator serves."""

from dataclasses import dataclass

from weft.mesh.intent.intent import API_VERSION, KIND

__all__ = ["KINDS", "Kind"]


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


KINDS = (
    Kind(API_VERSION, KIND),
    Kind("wasme.io/v1", "FilterDeployment"),
    Kind("istio.alibabacloud.com/v1beta1", "ASMFilterDeployment"),
    Kind("istio.alibabacloud.com/v1beta1", "ASMFiterDeployment"),
)
"""weft's own comes first."""
