"""A filter in a Kubernetes cluster: what is there, what must change, what stands.

``look`` completes the facts of a plan. A ``Deployer`` says what deploying would do, does it in the plan's
order, backs out when a step fails, and undeploys. What it did is in a ``Record`` beside the workloads;
``standing`` compares that with what is there. ``Nodes`` is how deployers and node caches talk.

May import: ``weft.kube``, ``weft.mesh``, ``weft.base``, ``weft.errors``.
"""

from weft.clusters.carrying import RolledBack
from weft.clusters.deploying import Deployer, Leaving, Prospect
from weft.clusters.looking import ControlPlane, control_planes, look
from weft.clusters.nodes import (
    CACHE_PODS,
    MODULE_LABEL,
    NODE_LABEL,
    REGISTRIES,
    Nodes,
    NotDistributed,
    node_report,
    wanted_images,
)
from weft.clusters.older import older_programs
from weft.clusters.readers import Refused, Unread, check_readers
from weft.clusters.records import ANNOTATION, Keeper, Record, annotation, read_record, read_records
from weft.clusters.rollouts import RolloutFailed, wait_for_rollouts
from weft.clusters.standings import Part, Standing, State, standing
from weft.clusters.turns import Outrun

__all__ = [
    "ANNOTATION",
    "CACHE_PODS",
    "MODULE_LABEL",
    "NODE_LABEL",
    "REGISTRIES",
    "ControlPlane",
    "Deployer",
    "Keeper",
    "Leaving",
    "Nodes",
    "NotDistributed",
    "Outrun",
    "Part",
    "Prospect",
    "Record",
    "Refused",
    "RolledBack",
    "RolloutFailed",
    "Standing",
    "State",
    "Unread",
    "annotation",
    "check_readers",
    "control_planes",
    "look",
    "node_report",
    "older_programs",
    "read_record",
    "read_records",
    "standing",
    "wait_for_rollouts",
    "wanted_images",
]
