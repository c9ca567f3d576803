"""What a node cache counts, in Prometheus' text format (exposition formats, version 0.0.4)."""

from collections import Counter

from weft.nodecache.cache import NodeCache
from weft.nodecache.report import State

__all__ = ["CONTENT_TYPE", "metrics"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def metrics(cache: NodeCache) -> str:
    """The counters and gauges; no label has more than a handful of values."""
    report = cache.report()
    states = Counter(wish.state for wish in report.wishes)
    source = cache.source
    lines = [
        *_metric("images", "gauge", "Wanted images.", {f'{{state="{s}"}}': states[s] for s in State}),
        *_metric("files", "gauge", "Modules in the folder.", {"": report.files}),
        *_metric("bytes", "gauge", "Size of the modules in the folder.", {"": report.size}),
        *_metric("downloads_total", "counter", "Blobs fetched.", {"": source.downloads}),
        *_metric("downloaded_bytes_total", "counter", "Bytes fetched.", {"": source.downloaded_bytes}),
        *_metric("failures_total", "counter", "Looks and downloads that failed.", {"": cache.failures}),
        *_metric("ready", "gauge", "1 when every wanted module is here.", {"": int(report.ready)}),
    ]
    return "\n".join([*lines, ""])


def _metric(name: str, kind: str, text: str, values: dict[str, int]) -> list[str]:
    full = f"weft_node_cache_{name}"
    samples = [f"{full}{labels} {value}" for labels, value in values.items()]
    return [f"# HELP {full} {text}", f"# TYPE {full} {kind}", *samples]
