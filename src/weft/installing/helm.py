"""An installation as a Helm chart: the same objects, with names of values where an installer may choose.

What may be chosen stands in ``_CHOICES`` as a place in an object; the value that is there becomes the chart's
default. Names that stand in many places (image, namespace) are put in as marks first and found by them again.
The namespace is that of the release, which Helm makes itself (``--create-namespace``).
"""

import copy
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from weft import __version__
from weft.base.documents import as_yaml
from weft.installing.access import bound_in
from weft.installing.installation import NODE_CACHE, OPERATOR, Group, Installation, Object
from weft.installing.rendering import Files, stream
from weft.installing.whole import groups

__all__ = ["chart"]

_Place = tuple[str | int, ...]

_POD: _Place = ("spec", "template", "spec")
_RUN: _Place = (*_POD, "containers", 0)
# (kind, name) -> where -> what the value is called.
_CHOICES: Mapping[tuple[str, str], Mapping[_Place, str]] = {
    ("Deployment", OPERATOR): {
        ("spec", "replicas"): "operator.replicas",
        (*_RUN, "resources"): "operator.resources",
        (*_POD, "nodeSelector"): "operator.nodeSelector",
        (*_POD, "imagePullSecrets"): "imagePullSecrets",
    },
    ("DaemonSet", NODE_CACHE): {
        (*_RUN, "resources"): "nodeCache.resources",
        (*_POD, "nodeSelector"): "nodeCache.nodeSelector",
        (*_POD, "tolerations"): "nodeCache.tolerations",
        (*_POD, "priorityClassName"): "nodeCache.priorityClassName",
        (*_POD, "imagePullSecrets"): "imagePullSecrets",
    },
}
# What stands for a value until the text is written: no YAML of ours has these characters otherwise.
_MARK = re.compile(r"x-weft-value-([a-zA-Z-]+)-x")
_IMAGE, _NAMESPACE, _GRANTED = (f"x-weft-value-{name}-x" for name in ("image", "namespace", "granted"))
_WORDS = {"image": "$.Values.image", "namespace": "$.Release.Namespace", "granted": "."}
_SECRETS_OF = "secretsOf"


def chart(installation: Installation) -> Files:
    """The files of the chart; ``installation`` is what its values say at first."""
    marked = Installation(namespace=_NAMESPACE, image=_IMAGE, folders=installation.folders)
    values: dict[str, Any] = {
        "image": installation.image,
        "imagePullSecrets": [],
        "definitions": True,
        _SECRETS_OF: list(installation.secrets_of),
        "operator": {},
        "nodeCache": {"enabled": installation.node_cache},
    }
    files = {
        f"templates/{group.name}.yaml": _template(group, values)
        for group in groups(marked)
        if group.name != "namespace"
    }
    files["templates/definitions.yaml"] = _only_if("definitions", files["templates/definitions.yaml"])
    files["templates/node-cache.yaml"] = _only_if("nodeCache.enabled", files["templates/node-cache.yaml"])
    files["templates/access.yaml"] += _granted(marked)
    return {"Chart.yaml": as_yaml(_index()), "values.yaml": as_yaml(values), **files}


def _index() -> dict[str, str]:
    return {
        "apiVersion": "v2",
        "name": "weft",
        "description": "Runs Envoy filters in a cluster: operator, node cache, custom resources.",
        "type": "application",
        "version": __version__,
        "appVersion": __version__,
        # Rules of custom resources in CEL.
        "kubeVersion": ">=1.25.0-0",
    }


def _template(group: Group, values: dict[str, Any]) -> str:
    return _spelled(stream(_chosen(held, values) for held in group.objects))


def _chosen(held: Object, values: dict[str, Any]) -> Object:
    """``held`` with marks where there is a choice; what was there goes into ``values``."""
    choices = _CHOICES.get((held["kind"], held["metadata"]["name"]), {})
    changed = copy.deepcopy(dict(held))
    for (*way, last), name in choices.items():
        at: Any = changed
        for step in way:
            at = at[step]
        *groups, word = name.split(".")
        section = values
        for one in groups:
            section = section.setdefault(one, {})
        section[word] = at[last]
        at[last] = f"x-weft-value-{name.replace('.', '-')}-x"
    return changed


def _spelled(text: str) -> str:
    """Marks become Helm's expressions: a value that stands alone as JSON, which is YAML too."""
    alone = re.compile(rf"(?<=[:-] ){_MARK.pattern}$", re.MULTILINE)
    text = alone.sub(lambda found: f"{{{{ {_expression(found[1])} | toJson }}}}", text)
    return _MARK.sub(lambda found: f"{{{{ {_expression(found[1])} }}}}", text)


def _expression(name: str) -> str:
    return _WORDS.get(name) or f"$.Values.{name.replace('-', '.')}"


def _only_if(value: str, text: str) -> str:
    return f"{{{{- if $.Values.{value} }}}}\n{text}{{{{- end }}}}\n"


def _granted(marked: Installation) -> str:
    binding = _spelled(stream([bound_in(_GRANTED, replace(marked, secrets_of=()))]))
    return f"{{{{- range $.Values.{_SECRETS_OF} }}}}\n---\n{binding}{{{{- end }}}}\n"
