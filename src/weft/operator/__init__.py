"""The operator: custom resources in a cluster made true.

``Operator`` follows the resources of weft, wasme and ASM, the workloads they mean, and what was made of them;
``Reconciler`` does one resource. Modules come from ``Images``, which others bring.

May import: ``weft.clusters``, ``weft.kube``, ``weft.installing``, ``weft.mesh``, ``weft.base``,
``weft.errors``.
"""

from weft.operator.counting import CONTENT_TYPE, metrics
from weft.operator.operator import Operator, Settings
from weft.operator.reconciler import Images, Unsigned
from weft.operator.serving import app, judge, webhook

__all__ = ["CONTENT_TYPE", "Images", "Operator", "Settings", "Unsigned", "app", "judge", "metrics", "webhook"]
