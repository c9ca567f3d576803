"""From a JSON Schema made of types to the structural OpenAPI schema that a CRD needs.

Kubernetes wants a type everywhere, no references, and of ``anyOf`` only what says nothing of types. So
references are put in place; what may be absent is just not required; where several types may stand,
anything may (``weft.mesh.read_intent`` and the webhook are strict there). Defaults that only say "nothing"
are left out: they would be written into every object. Each field has one way to say nothing, so ``null``
is refused.

https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/
"""

from collections.abc import Mapping
from typing import Any

__all__ = ["Extras", "structural"]

Schema = dict[str, Any]
Extras = Mapping[str, Mapping[str, Any]]
"""What types cannot say: keywords for the schema of a type (``Spec``) or of a field (``Spec.routes``)."""

_KEPT = (
    "type",
    "enum",
    "pattern",
    "minLength",
    "maxLength",
    "minimum",
    "maximum",
    "minItems",
    "maxItems",
)
_ANYTHING = "x-kubernetes-preserve-unknown-fields"


def structural(schema: Mapping[str, Any], extras: Extras) -> Schema:
    """The structural schema of ``schema``, whose references are to its own ``$defs``."""
    return _Inlining(schema.get("$defs", {}), extras).shape(schema)


class _Inlining:
    def __init__(self, types: Mapping[str, Mapping[str, Any]], extras: Extras) -> None:
        self._types = types
        self._extras = extras

    def shape(self, schema: Mapping[str, Any], field: str = "") -> Schema:
        """The schema of one place; ``field`` names it, as ``Spec.routes``."""
        if "$ref" in schema:
            named = self._types[schema["$ref"].rpartition("/")[2]]
            rest = {key: value for key, value in schema.items() if key != "$ref"}
            return self.shape({**named, **rest}, field)
        if "anyOf" in schema:
            options = [one for one in schema["anyOf"] if one != {"type": "null"}]
            rest = {key: value for key, value in schema.items() if key != "anyOf"}
            if len(options) == 1:
                return self.shape({**options[0], **rest}, field)
            return self._finished({_ANYTHING: True}, rest, field)
        shaped = {key: schema[key] for key in _KEPT if key in schema}
        if "enum" in shaped:
            shaped["type"] = "string"
        if "items" in schema:
            shaped["items"] = self.shape(schema["items"])
        if shaped.get("type") == "object":
            shaped |= self._inside(schema)
        return self._finished(shaped, schema, field)

    def _inside(self, schema: Mapping[str, Any]) -> Schema:
        """What may stand in a mapping: named fields, values of one kind, or anything."""
        if "properties" in schema:
            title = schema.get("title", "")
            fields = {name: self.shape(one, f"{title}.{name}") for name, one in schema["properties"].items()}
            inside: Schema = {"properties": fields} if fields else {}
            if schema.get("required"):
                inside["required"] = list(schema["required"])
            return {**inside, **self._extras.get(title, {})}
        if isinstance(values := schema.get("additionalProperties"), Mapping):
            return {"additionalProperties": self.shape(values)}
        return {_ANYTHING: True}

    def _finished(self, shaped: Schema, schema: Mapping[str, Any], field: str) -> Schema:
        """``shaped`` with its words, its default and what types cannot say."""
        described: Schema = {}
        if text := schema.get("description"):
            described["description"] = " ".join(text.replace("``", "`").split())
        if default := self._telling(schema.get("default"), schema):
            shaped["default"] = default
        return {**described, **shaped, **self._extras.get(field, {})}

    def _telling(self, default: Any, schema: Mapping[str, Any]) -> Any:
        """``default`` without the fields that would be so anyway."""
        if not isinstance(default, Mapping):
            return default
        fields = self._resolved(schema).get("properties", {})
        return {
            name: self._telling(value, fields.get(name, {}))
            for name, value in default.items()
            if value != fields.get(name, {}).get("default")
        }

    def _resolved(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        """What ``schema`` says of a mapping."""
        for option in schema.get("anyOf", ()):
            if "$ref" in option:
                return self._resolved(option)
        if "$ref" in schema:
            return self._types[schema["$ref"].rpartition("/")[2]]
        return schema
