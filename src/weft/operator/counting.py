"""What the operator counts, in Prometheus' text format (exposition formats, version 0.0.4)."""

from collections import Counter

from weft.operator.operator import Operator

__all__ = ["CONTENT_TYPE", "metrics"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def metrics(operator: Operator | None) -> str:
    """The counters and gauges, of the operator whose turn it is; no label has more than a few values."""
    leading = _metric("leading", "gauge", "1 where this one acts.", {"": int(operator is not None)})
    if operator is None:
        return "\n".join([*leading, ""])
    states = Counter(operator.counts.states.values())
    reconciled = operator.counts.reconciled
    filters = {'{state="ready"}': states[True], '{state="failed"}': states[False]}
    results = {f'{{result="{one}"}}': reconciled[one] for one in ("done", "failed")}
    lines = [
        *leading,
        *_metric("filters", "gauge", "Custom resources, by how they stand.", filters),
        *_metric("reconciliations_total", "counter", "Looks at a resource.", results),
        *_metric("queue", "gauge", "Resources that wait to be looked at.", {"": len(operator.queue)}),
        *_metric("writes_total", "counter", "Requests that change something.", {"": operator.kube.writes}),
    ]
    return "\n".join([*lines, ""])


def _metric(name: str, kind: str, text: str, values: dict[str, int]) -> list[str]:
    full = f"weft_operator_{name}"
    samples = [f"{full}{labels} {value}" for labels, value in values.items()]
    return [f"# HELP {full} {text}", f"# TYPE {full} {kind}", *samples]
