"""What the types of an intent cannot say, in the words of a CRD: the same rules as ``weft.mesh.read_intent``.

Rules are in CEL. It cannot see fields of several types (``config``, header values), so rules about those are
left to the reader. A rule's cost is reckoned before it ever runs, hence the limits on lists that are looped
over: none of them is near what anybody needs.
"""

from typing import Any

from weft.installing.structural import Extras

__all__ = ["INTENT_EXTRAS"]

_ONE_OF = "[{}].filter(named, named).size() == 1"


def _rule(rule: str, message: str) -> dict[str, Any]:
    return {"x-kubernetes-validations": [{"rule": rule, "message": message}]}


def _one_of(*fields: str, message: str) -> dict[str, Any]:
    named = ", ".join(f"has(self.{field})" for field in fields)
    return _rule(_ONE_OF.format(named), message)


_TEXTS = _one_of("exact", "prefix", "regex", message="needs one of exact, prefix and regex")
_SLASH = {"pattern": "^/"}

INTENT_EXTRAS: Extras = {
    "Spec": _rule(
        "!(has(self.workloads) && has(self.targetRefs) && self.targetRefs.size() > 0)",
        "targetRefs cannot stand beside workloads; name the one or the other",
    ),
    "Spec.image": {
        "maxLength": 2048,
        **_rule(
            "!self.contains('://') || self.matches('^(oci|http|https|file)://')",
            "must be registry/repository:tag, or start with oci://, http://, https:// or file://",
        ),
    },
    "Spec.environment": {
        "maxProperties": 256,
        **_rule("self.all(name, name.size() > 0)", "a variable needs a name"),
    },
    "Spec.configFrom": {"maxItems": 64},
    "ConfigSource": _one_of(
        "secretKeyRef", "configMapKeyRef", message="needs either secretKeyRef or configMapKeyRef"
    ),
    "Verify.keys": {"maxItems": 16},
    "VerifyKey": _rule(
        "has(self.secretRef) != (has(self.pem) && self.pem.size() > 0)", "needs either secretRef or pem"
    ),
    "Target": _one_of(
        "istio", "gloo", "envoyGateway", "envoy", "xds", message="must name one kind of target"
    ),
    "IstioTarget.ports": {"maxItems": 64, "x-kubernetes-list-type": "set"},
    "Spec.routes": {"maxItems": 128},
    # The messages of these two are Kubernetes' own: `config` is a field that CEL does not see.
    "Route": {
        "oneOf": [
            {"required": ["config"]},
            {"required": ["disabled"], "properties": {"disabled": {"enum": [True]}}},
        ]
    },
    "Match": {"minProperties": 1},
    "Match.headers": {"maxProperties": 64},
    "PathMatch": _TEXTS,
    "PathMatch.prefix": _SLASH,
    "PathMatch.exact": _SLASH,
    "Rollout.steps": {
        "maxItems": 100,
        **_rule(
            "self.map(step, step.percent).isSorted()"
            " && self.all(step, self.filter(other, other.percent == step.percent).size() == 1)",
            "each step must have more percent than the one before",
        ),
    },
}
