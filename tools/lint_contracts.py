"""Import-linter contract: a package is entered through its front door.

``weft.workflows.authoring.build`` may say ``from weft.store import Store`` but never
``from weft.store.layout import ...``; inside ``weft.store`` anything goes.
"""

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output


class FacadeContract(Contract):
    """Imports from one child package of the root into another must name that package itself."""

    root: str = fields.StringField()  # type: ignore[assignment]
    open_packages: set[str] = fields.SetField(  # type: ignore[assignment]
        subfield=fields.StringField(), required=False
    )

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:  # noqa: ARG002
        """Find every import that climbs in through a window."""
        exempt = {f"{self.root}.{name}" for name in self.open_packages or ()}
        broken = [
            (importer, imported)
            for importer in sorted(graph.modules)
            for imported in sorted(graph.find_modules_directly_imported_by(importer))
            if self._climbs_in(importer, imported, exempt)
        ]
        return ContractCheck(kept=not broken, metadata={"broken": broken})

    def _climbs_in(self, importer: str, imported: str, exempt: set[str]) -> bool:
        depth = self.root.count(".") + 2
        home = ".".join(imported.split(".")[:depth])
        deep = imported.startswith(f"{self.root}.") and imported.count(".") >= depth
        stranger = importer != home and not importer.startswith(f"{home}.")
        return deep and stranger and home not in exempt

    def render_broken_contract(self, check: ContractCheck) -> None:
        """Name each window."""
        for importer, imported in check.metadata["broken"]:
            output.print_error(f"{importer} reaches into {imported}; import its package instead")
