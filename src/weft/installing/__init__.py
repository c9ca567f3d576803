"""What weft is in a cluster: the Kubernetes objects of an installation, and the files they are handed on as.

``Installation`` says what may differ; ``objects`` are the objects in the order in which they are made.
``manifest``, ``kustomization`` and ``chart`` write them as plain YAML, as a kustomize folder and as a Helm
chart. The custom resources are ``weft.mesh.KINDS``; the schema of weft's own is made from
``weft.mesh.Intent``. All objects have the label ``OURS``.
``Certificate`` is for the operator's webhook at ``webhook_host``, ``granting`` the command that gives the
operator rights in a namespace, ``operator_rights`` are those that it has anyway. Pure.

May import: ``weft.mesh``, ``weft.base``, ``weft.errors``.
"""

from weft.installing.access import Right, granting, operator_rights
from weft.installing.certificate import Certificate
from weft.installing.helm import chart
from weft.installing.installation import OPERATOR, OURS, Installation, checked
from weft.installing.operator_objects import webhook_host
from weft.installing.rendering import Files, kustomization, manifest, stream
from weft.installing.whole import objects

__all__ = [
    "OPERATOR",
    "OURS",
    "Certificate",
    "Files",
    "Installation",
    "Right",
    "chart",
    "checked",
    "granting",
    "kustomization",
    "manifest",
    "objects",
    "operator_rights",
    "stream",
    "webhook_host",
]
