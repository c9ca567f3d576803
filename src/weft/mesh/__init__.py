"""From what a user wants to what a proxy is told. Pure.

An ``Intent`` is what a user wants of one filter; ``read_intent`` reads it strictly, ``import_document`` also
reads the kinds of wasme, ASM and Istio, ``intent_schema`` is its JSON Schema. With the ``Facts`` that others
found out, ``make_plan`` says what must be done on the intent's target, in which order, and how it is undone;
``changes`` compares two plans, ``transition`` is the way from one to the next. A plan that cannot be is
``PlanRefused``, with all reasons. One module stands for each target, one for each imported kind.

Below that, ``Plugin`` is one filter as a proxy runs it; ``static_filter`` and ``discovered_filter`` are the
two ways to name it in an HTTP filter chain, ``discovery_document`` is the file behind the second.
``default_bootstrap``, ``patch_bootstrap`` and ``runnable`` are for a plain Envoy.

May import: ``weft.image``, ``weft.project``, ``weft.oci``, ``weft.wasm``, ``weft.base``, ``weft.errors``.
"""

from weft.mesh.importing.documents import import_document, is_intent
from weft.mesh.importing.imported import Imported
from weft.mesh.intent.image_url import ImageUrl
from weft.mesh.intent.intent import API_VERSION, KIND, Intent, Rollout
from weft.mesh.intent.kinds import KINDS, Kind
from weft.mesh.intent.plugin import Failure, Plugin
from weft.mesh.intent.reading import read_intent
from weft.mesh.intent.schema import intent_schema
from weft.mesh.istio.mounts import put_back, remount, unmounted
from weft.mesh.plan.configs import base_config, config_refs
from weft.mesh.plan.differences import Change, Changed, changes
from weft.mesh.plan.entries import entry_of, entry_patch
from weft.mesh.plan.facts import Facts, ModuleFacts, Workload, WorkloadRef
from weft.mesh.plan.objects import object_name
from weft.mesh.plan.plan import Do, ModuleFile, Plan, PlanRefused, Step, object_ref
from weft.mesh.plan.selection import selected
from weft.mesh.plan.stages import RolloutStage, stages
from weft.mesh.planning import make_plan
from weft.mesh.proxy.envoy_filter import discovered_filter, discovery_document, static_filter
from weft.mesh.proxy.envoy_patch import HttpListener, http_listeners, move_listener, patch_bootstrap
from weft.mesh.proxy.routing import Routed
from weft.mesh.proxy.standalone import default_bootstrap, runnable
from weft.mesh.proxy.upstream import Upstream
from weft.mesh.transitions import transition

__all__ = [
    "API_VERSION",
    "KIND",
    "KINDS",
    "Change",
    "Changed",
    "Do",
    "Facts",
    "Failure",
    "HttpListener",
    "ImageUrl",
    "Imported",
    "Intent",
    "Kind",
    "ModuleFacts",
    "ModuleFile",
    "Plan",
    "PlanRefused",
    "Plugin",
    "Rollout",
    "RolloutStage",
    "Routed",
    "Step",
    "Upstream",
    "Workload",
    "WorkloadRef",
    "base_config",
    "changes",
    "config_refs",
    "default_bootstrap",
    "discovered_filter",
    "discovery_document",
    "entry_of",
    "entry_patch",
    "http_listeners",
    "import_document",
    "intent_schema",
    "is_intent",
    "make_plan",
    "move_listener",
    "object_name",
    "object_ref",
    "patch_bootstrap",
    "put_back",
    "read_intent",
    "remount",
    "runnable",
    "selected",
    "stages",
    "static_filter",
    "transition",
    "unmounted",
]
