"""From what a user wants to what a proxy is told. Pure.

``Plugin`` is one filter as a proxy runs it. ``static_filter`` and ``discovered_filter`` are the two ways to
name it in an HTTP filter chain, ``discovery_document`` is the file behind the second. What a whole proxy is
told stands in ``weft.mesh.targets``: ``default_bootstrap``, ``patch_bootstrap`` and ``runnable`` for a
plain Envoy.

May import: ``weft.image``, ``weft.project``, ``weft.oci``, ``weft.wasm``, ``weft.base``, ``weft.errors``.
"""

from weft.mesh.envoy_filter import discovered_filter, discovery_document, static_filter
from weft.mesh.plugin import Failure, Plugin
from weft.mesh.targets.envoy_bootstrap import default_bootstrap, runnable
from weft.mesh.targets.envoy_patch import HttpListener, http_listeners, patch_bootstrap
from weft.mesh.upstream import Upstream

__all__ = [
    "Failure",
    "HttpListener",
    "Plugin",
    "Upstream",
    "default_bootstrap",
    "discovered_filter",
    "discovery_document",
    "http_listeners",
    "patch_bootstrap",
    "runnable",
    "static_filter",
]
