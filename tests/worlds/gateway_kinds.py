"""What Gloo 1.20 and Envoy Gateway 1.9 demand of the objects they are told, as far as weft writes them.

Written down from their definitions (Gloo: ``gateway.solo.io_v1_Gateway.yaml``; Envoy Gateway:
``wasm_types.go``, ``envoyextensionypolicy_types.go``). A real API refuses what is not in them.
"""

from typing import Any

__all__ = ["ENVOY_GATEWAY", "GLOO"]


def _mapping(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


def _list(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _rule(rule: str, message: str) -> dict[str, str]:
    return {"rule": rule, "message": message}


_TEXT = {"type": "string", "maxLength": 4096}
_BOOL = {"type": "boolean"}
_NUMBER = {"type": "integer"}
_ANYTHING = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}

_FILTER = _mapping(
    config=_ANYTHING,
    failOpen=_BOOL,
    filePath=_TEXT,
    filterStage=_mapping(predicate=_TEXT, stage=_TEXT),
    image=_TEXT,
    name=_TEXT,
    rootId=_TEXT,
    vmType=_TEXT,
)
_OPTIONS = _mapping(
    buffer=_mapping(maxRequestBytes=_NUMBER),
    wasm=_mapping(filters=_list(_FILTER)),
)
_GLOO_GATEWAY = _mapping(
    spec=_mapping(
        bindAddress=_TEXT,
        bindPort=_NUMBER,
        httpGateway=_mapping(options=_OPTIONS, virtualServiceNamespaces=_list(_TEXT)),
        tcpGateway=_ANYTHING,
        proxyNames=_list(_TEXT),
    ),
    status=_ANYTHING,
)

_REF = {
    **_mapping(group=_TEXT, kind=_TEXT, name=_TEXT, sectionName=_TEXT),
    "required": ["group", "kind", "name"],
}
_SECRET = {
    **_mapping(
        group={**_TEXT, "default": ""}, kind={**_TEXT, "default": "Secret"}, name=_TEXT, namespace=_TEXT
    ),
    "required": ["name"],
    "x-kubernetes-validations": [_rule("self.kind == 'Secret'", "only support Secret kind.")],
}
_CODE = {
    **_mapping(
        type={**_TEXT, "enum": ["HTTP", "Image"]},
        http={**_mapping(url=_TEXT, sha256=_TEXT), "required": ["url"]},
        image={**_mapping(url=_TEXT, sha256=_TEXT, pullSecretRef=_SECRET), "required": ["url"]},
        pullPolicy={**_TEXT, "enum": ["IfNotPresent", "Always"]},
    ),
    "required": ["type"],
    "x-kubernetes-validations": [
        _rule("self.type == 'HTTP' ? has(self.http) : !has(self.http)", "HTTP needs http"),
        _rule("self.type == 'Image' ? has(self.image) : !has(self.image)", "Image needs image"),
    ],
}
_WASM = {
    **_mapping(
        name=_TEXT,
        rootID=_TEXT,
        code=_CODE,
        config={"x-kubernetes-preserve-unknown-fields": True},
        failOpen={**_BOOL, "default": False},
        env=_mapping(hostKeys=_list(_TEXT)),
    ),
    "required": ["code"],
}
_KINDS = "['Gateway', 'ListenerSet', 'HTTPRoute', 'GRPCRoute', 'UDPRoute', 'TCPRoute', 'TLSRoute']"
_ENVOY_EXTENSION_POLICY = _mapping(
    spec={
        **_mapping(
            targetRef=_REF,
            targetRefs={**_list(_REF), "maxItems": 16},
            wasm={**_list(_WASM), "maxItems": 16},
        ),
        "x-kubernetes-validations": [
            _rule(
                "has(self.targetRef) != has(self.targetRefs)", "either targetRef or targetRefs must be used"
            ),
            _rule(
                "!has(self.targetRefs) || self.targetRefs.all(ref, ref.group == 'gateway.networking.k8s.io')",
                "group of targetRefs",
            ),
            _rule(
                f"!has(self.targetRefs) || self.targetRefs.all(ref, ref.kind in {_KINDS})",
                "kind of targetRefs",
            ),
        ],
    },
    status=_ANYTHING,
)
# As ``Cluster.knows`` takes them.
GLOO = ("gateway.solo.io", "v1", "Gateway", "gateways", _GLOO_GATEWAY)
ENVOY_GATEWAY = (
    "gateway.envoyproxy.io",
    "v1alpha1",
    "EnvoyExtensionPolicy",
    "envoyextensionpolicies",
    _ENVOY_EXTENSION_POLICY,
)
