"""From what a user wants to what a proxy is told. Pure.

An ``Intent`` is what a user wants of one filter; ``read_intent`` reads it strictly, ``import_document`` also
reads the kinds of wasme, ASM and Istio, ``intent_schema`` is its JSON Schema. With the ``Facts`` that others
found out, ``make_plan`` says what must be done on the intent's target, in which order, and how it is undone;
``changes`` compares two plans, ``transition`` is the way from one to the
next. A plan that cannot be is ``PlanRefused``, with all reasons. Targets stand in
``weft.mesh.targets``, translators in ``weft.mesh.translators``; neither know their like.

Below that, ``Plugin`` is one filter as a proxy runs it; ``static_filter`` and ``discovered_filter`` are the
two ways to name it in an HTTP filter chain, ``discovery_document`` is the file behind the second.
``default_bootstrap``, ``patch_bootstrap`` and ``runnable`` are for a plain Envoy.

May import: ``weft.image``, ``weft.project``, ``weft.oci``, ``weft.wasm``, ``weft.base``, ``weft.errors``.
"""

from weft.mesh.configs import base_config, config_refs
from weft.mesh.differences import Change, Changed, changes
from weft.mesh.envoy_filter import discovered_filter, discovery_document, static_filter
from weft.mesh.envoy_patch import HttpListener, http_listeners, move_listener, patch_bootstrap
from weft.mesh.facts import Facts, ModuleFacts, Workload, WorkloadRef
from weft.mesh.image_url import ImageUrl
from weft.mesh.imported import Imported
from weft.mesh.importing import import_document, is_intent
from weft.mesh.intent import API_VERSION, KIND, Intent
from weft.mesh.kinds import KINDS, Kind
from weft.mesh.mounts import remount, unmounted
from weft.mesh.objects import object_name
from weft.mesh.plan import Do, ModuleFile, Plan, PlanRefused, Step, object_ref
from weft.mesh.planning import make_plan
from weft.mesh.plugin import Failure, Plugin
from weft.mesh.reading import read_intent
from weft.mesh.routing import Routed
from weft.mesh.schema import intent_schema
from weft.mesh.selection import selected
from weft.mesh.standalone import default_bootstrap, runnable
from weft.mesh.transitions import transition
from weft.mesh.upstream import Upstream

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
    "http_listeners",
    "import_document",
    "intent_schema",
    "is_intent",
    "make_plan",
    "move_listener",
    "object_name",
    "object_ref",
    "patch_bootstrap",
    "read_intent",
    "remount",
    "runnable",
    "selected",
    "static_filter",
    "transition",
    "unmounted",
]
