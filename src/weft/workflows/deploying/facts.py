"""What this machine knows of an intent's image: from its store, or from a module file."""

from dataclasses import dataclass, replace
from pathlib import Path

from weft.errors import NotFound
from weft.mesh import Facts, ImageUrl, Intent, ModuleFacts
from weft.workflows.authoring.modules import load_module_bytes
from weft.workflows.deploying.documents import Documents
from weft.workflows.running.keeping import keep_module

__all__ = ["Looker"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Looker:
    """Finds the facts of a plan without asking anybody."""

    store: Path
    cache: Path
    module: str | None = None
    """A module file, instead of what the image holds."""
    istio_version: str = ""
    check_abi: bool = True
    """Whether an old Istio is refused that does not know the ABIs the image claims."""

    def facts(self, intent: Intent, documents: Documents) -> Facts:
        """Raises ``NotFound`` for a module file that is not there, ``WeftError`` for a broken one."""
        image = ImageUrl.parse(intent.spec.image)
        known = self._of_file(image) if self.module is not None else self._of_image(image)
        path = known.module_path
        if path is None and intent.spec.target.envoy is not None and known.module and known.module.content:
            path = str(keep_module(known.module.content, self.cache))
        return replace(
            known,
            workloads=tuple(documents.workloads) or None,
            values=documents.values,
            gateways=tuple(documents.gateways) or None,
            istio_version=self.istio_version,
            module_path=path,
        )

    def _of_file(self, image: ImageUrl) -> Facts:
        file = self.module or ""
        known = self._of_image(image)
        module = ModuleFacts.of(load_module_bytes(file))
        return replace(known, module=module, module_path=str(Path(file).absolute()))

    def _of_image(self, image: ImageUrl) -> Facts:
        if image.scheme != "oci":
            return Facts(image=image)
        from weft.image import Published, ask_consumers, unpack
        from weft.store import Store

        try:
            held = Store(self.store).get(image.reference)
        except NotFound:
            return Facts(image=image)
        contents = unpack(held)
        return Facts(
            image=ImageUrl("oci", image.location, held.digest),
            module=ModuleFacts.of(contents.module),
            consumers=ask_consumers(Published(str(image.reference), held.manifest, held.blobs)),
            abi_versions=contents.runtime.abi_versions if contents.runtime and self.check_abi else (),
            root_ids=contents.runtime.root_ids if contents.runtime else (),
        )
