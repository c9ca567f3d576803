"""The commands of docs/from-wasme.md, as a user of wasme types them, in their order."""

import shlex
from pathlib import Path

import pytest

from worlds.deployments import World
from worlds.gateway_kinds import GLOO

pytestmark = pytest.mark.real("kubernetes", "distribution", "assemblyscript")

PAGE = Path(__file__).parents[2] / "docs" / "from-wasme.md"
COMMANDS = [line.removeprefix("$ ") for line in PAGE.read_text().splitlines() if line.startswith("$ weft")]
SAID = {
    "deploy istio": "myfilter deployed",
    "undeploy istio": "undeployed from istio/wasmplugin",
    "deploy gloo": "myfilter deployed",
    "undeploy gloo": "myfilter undeployed from gloo",
    "status myfilter": "Ready",
    "list --published": "v1",
}


def test_the_page_has_every_command_of_wasme() -> None:
    names = {" ".join(command.split()[1:3]) for command in COMMANDS}
    assert {"deploy envoy", "build assemblyscript", *SAID} <= names
    assert {"init", "tag", "push", "pull"} <= {command.split()[1] for command in COMMANDS}


def test_all_of_them_do_what_they_say(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    world.workload("details")
    world.cluster.knows(*GLOO)
    gateway = {
        "apiVersion": "gateway.solo.io/v1",
        "kind": "Gateway",
        "metadata": {"name": "gateway-proxy"},
        "spec": {"httpGateway": {}},
    }
    gateways = f"gateway.solo.io/v1/namespaces/{world.namespace}/gateways"
    world.ask("POST", gateways, gateway)
    instead = {"hub.example.com": world.registry, "bookinfo": world.namespace, "gloo-system": world.namespace}
    for command in COMMANDS:
        words = command
        for name, here in instead.items():
            words = words.replace(name, here)
        _, *argv = shlex.split(words)
        done = world.weft(*argv)
        # There is no mesh here, which is what a doctor is for.
        assert done.code == (1 if argv[0] == "doctor" and "problem" in done.out else 0), (command, done.err)
        assert "Traceback" not in done.err
        assert SAID.get(" ".join(argv[:2]), "") in done.out + done.err, command
        if argv[:2] == ["deploy", "envoy"]:
            assert '"value":"world"' in done.out.replace(" ", "").replace("\\", "")
        if argv[:2] == ["deploy", "gloo"]:
            http = world.ask("GET", f"{gateways}/gateway-proxy")["spec"]["httpGateway"]
            (entry,) = http["options"]["wasm"]["filters"]
            assert (entry["name"], entry["config"]["value"]) == ("myfilter", "world")
    assert (world.names("wasmplugins"), world.configs()) == ([], [])
    assert world.ask("GET", f"{gateways}/gateway-proxy")["spec"] == {"httpGateway": {}}
