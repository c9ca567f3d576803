"""A Kubernetes API as a client sees it: its configs and credentials, its objects, its refusals.

``find_cluster`` reads which cluster a user means; ``open_kube`` gives a ``Kube``, whose methods are one
request each. A ``Reflector`` keeps what is there at hand and up to date, a ``WorkQueue`` hands out what
changed once each, and ``Lease`` lets one of several be the one that acts.

May import: ``weft.net``, ``weft.base``, ``weft.errors``.
"""

from weft.kube.cached import CachedKube
from weft.kube.client import Kube, WatchEvent
from weft.kube.errors import Conflict, Denied, Expired, KubeError, Missing
from weft.kube.kubeconfig import Cluster, find_cluster
from weft.kube.lease import Lease, LeaseLost
from weft.kube.objects import Listing, Object, Ref, Resource
from weft.kube.opening import open_kube
from weft.kube.queue import WorkQueue
from weft.kube.reflector import Reflector

__all__ = [
    "CachedKube",
    "Cluster",
    "Conflict",
    "Denied",
    "Expired",
    "Kube",
    "KubeError",
    "Lease",
    "LeaseLost",
    "Listing",
    "Missing",
    "Object",
    "Ref",
    "Reflector",
    "Resource",
    "WatchEvent",
    "WorkQueue",
    "find_cluster",
    "open_kube",
]
