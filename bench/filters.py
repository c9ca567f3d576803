"""CPU per request of each language's add-header template against no filter, native code and Lua.

Every variant runs in an Envoy of its own with one worker; all are up at once and take turns under the
same load, so the machine's moods hit them alike. CPU is the scheduler's own count (``schedstat``, ns) of
all threads of the Envoy. Method: ``rounds`` interleaved rounds of one second each; medians are compared.

Usage: python bench/filters.py [rounds]
"""

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

LANGUAGES = ("cpp", "assemblyscript", "rust", "go")
WEFT = Path(sys.executable).with_name("weft")
CONNECTIONS = 8
START_SECONDS = 20.0


def main(rounds: int) -> None:
    """Build, start, load in turns, print."""
    with tempfile.TemporaryDirectory() as folder:
        variants = native() | {language: built(language, Path(folder)) for language in LANGUAGES}
        envoys = {name: Served(name, filters, Path(folder)) for name, filters in variants.items()}
        try:
            for served in envoys.values():
                served.wait()
            costs = measure(envoys, rounds)
        finally:
            for served in envoys.values():
                served.process.kill()
                served.process.wait()
    report(costs)


def native() -> dict[str, list[dict[str, Any]]]:
    """The peers: nothing, Envoy's own header_mutation, and Lua."""
    api = "type.googleapis.com/envoy.extensions.filters.http"
    mutation = {"append": {"header": {"key": "hello", "value": "world"}}}
    lua = "function envoy_on_response(handle) handle:headers():add('hello', 'world') end"
    return {
        "none": [],
        "header_mutation": [
            {
                "name": "m",
                "typed_config": {
                    "@type": f"{api}.header_mutation.v3.HeaderMutation",
                    "mutations": {"response_mutations": [mutation]},
                },
            }
        ],
        "lua": [
            {
                "name": "l",
                "typed_config": {
                    "@type": f"{api}.lua.v3.Lua",
                    "default_source_code": {"inline_string": lua},
                },
            }
        ],
    }


def built(language: str, folder: Path) -> list[dict[str, Any]]:
    """Make and build the untouched template; give its filter config as `weft run --out` prints it."""
    project = folder / f"add_header_{language}"
    weft("init", project, "--language", language)
    module = folder / f"{language}.wasm"
    weft("build", project, "--out", module, "--yes")
    config = {"name": "hello", "value": "world"}
    text = weft("run", module, "--root-id", project.name, "--config", json.dumps(config), "--out", "-")
    import yaml

    manager = yaml.safe_load(text)["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]
    filters: list[dict[str, Any]] = manager["typed_config"]["http_filters"]
    return filters[:-1]


def weft(*words: str | Path) -> str:
    """Run the program; its words go to the terminal only when it fails."""
    done = subprocess.run([WEFT, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"weft {' '.join(map(str, words))}: exit {done.returncode}\n{done.stderr}")
    return done.stdout


class Served:
    """One Envoy that answers every request by itself, through the filters under test."""

    def __init__(self, name: str, filters: list[dict[str, Any]], folder: Path) -> None:
        self.name = name
        self.addresses = folder / f"{name}.admin"
        bootstrap = folder / f"{name}.json"
        bootstrap.write_text(json.dumps(direct_response(filters)))
        self.log = folder / f"{name}.log"
        self.process = subprocess.Popen(
            [envoy(), "-c", bootstrap, "--concurrency", "1", "--use-dynamic-base-id",
             "--admin-address-path", self.addresses, "-l", "warning"],
            stdout=subprocess.DEVNULL, stderr=self.log.open("w"),
        )  # fmt: skip
        self.port = 0

    def wait(self) -> None:
        """Until the listener is there and answers with the header the filter adds."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                sys.exit(f"{self.name}: Envoy ended\n{self.log.read_text()}")
            try:
                admin = self.addresses.read_text()
                with urllib.request.urlopen(f"http://{admin}/listeners?format=json", timeout=5) as reply:
                    listeners = json.load(reply)["listener_statuses"]
                self.port = listeners[0]["local_address"]["socket_address"]["port_value"]
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=5) as reply:
                    if self.name != "none" and reply.headers["hello"] != "world":
                        sys.exit(f"{self.name}: the filter did not add its header")
                    return
            except (OSError, KeyError, IndexError, ValueError):
                time.sleep(0.02)
        sys.exit(f"{self.name}: Envoy did not answer\n{self.log.read_text()}")

    def cpu(self) -> int:
        """Nanoseconds of CPU that all its threads have had."""
        tasks = Path(f"/proc/{self.process.pid}/task")
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks.iterdir())


def direct_response(filters: list[dict[str, Any]]) -> dict[str, Any]:
    """A bootstrap whose only route answers 200 without an upstream."""
    router = {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"}
    route = {"match": {"prefix": "/"}, "direct_response": {"status": 200, "body": {"inline_string": "ok"}}}
    manager = {
        "@type": "type.googleapis.com/envoy.extensions.filters.network"
        ".http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "bench",
        "route_config": {"virtual_hosts": [{"name": "all", "domains": ["*"], "routes": [route]}]},
        "http_filters": [*filters, {"name": "router", "typed_config": router}],
    }
    chain = {"filters": [{"name": "http", "typed_config": manager}]}
    loopback = {"socket_address": {"address": "127.0.0.1", "port_value": 0}}
    return {
        "admin": {"address": loopback},
        "static_resources": {"listeners": [{"name": "l", "address": loopback, "filter_chains": [chain]}]},
    }


def envoy() -> Path:
    """The Envoy that weft itself would use."""
    listed = json.loads(weft("toolchain", "list", "-o", "json"))
    return next(Path(tool["where"]) for tool in listed if tool["tool"] == "envoy")


def measure(envoys: dict[str, Served], rounds: int) -> dict[str, list[float]]:
    """Microseconds of CPU per request, a list per variant; the first round warms up and is dropped."""
    costs: dict[str, list[float]] = {name: [] for name in envoys}
    for turn in range(rounds + 1):
        for name, served in envoys.items():
            before = served.cpu()
            requests = load(served.port)
            if turn:
                costs[name].append((served.cpu() - before) / requests / 1000)
    return costs


def load(port: int) -> int:
    """One second of load; how many requests were answered, all of them well."""
    url = f"http://127.0.0.1:{port}/"
    done = subprocess.run(
        ["wrk", "-t1", f"-c{CONNECTIONS}", "-d1s", url],
        capture_output=True, text=True, check=True, env={**os.environ, "LC_ALL": "C"},
    )  # fmt: skip
    if "Non-2xx" in done.stdout or "Socket errors" in done.stdout:
        sys.exit(done.stdout)
    found = re.search(r"(\d+) requests in", done.stdout)
    return int(found[1]) if found else sys.exit(done.stdout)


def report(costs: dict[str, list[float]]) -> None:
    """The table, against no filter and against native code, round by round."""
    print(f"{'filter':<16} {'µs/request':>10} {'min':>7} {'vs none':>8} {'vs native':>9}")
    for name, values in costs.items():
        against = {
            peer: statistics.median(a / b for a, b in zip(values, costs[peer], strict=True))
            for peer in ("none", "header_mutation")
        }
        print(
            f"{name:<16} {statistics.median(values):>10.2f} {min(values):>7.2f} "
            f"{against['none']:>8.3f} {against['header_mutation']:>9.3f}"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 7)
