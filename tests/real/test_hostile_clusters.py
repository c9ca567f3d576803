"""`weft deploy` and its like when cluster, kubeconfig or user are against them: one clear error each.

Whatever goes wrong, a command leaves nothing half-made, or says what stands and takes it away when asked.
"""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from worlds.certificates import certificates, issue
from worlds.deployments import VOLUMES, World
from worlds.waiting import until

pytestmark = pytest.mark.real("kubernetes", "distribution")

Edit = Callable[[dict[str, Any], Path], None]


def server(url: str) -> Edit:
    def edit(config: dict[str, Any], _: Path) -> None:
        config["clusters"][0]["cluster"]["server"] = url

    return edit


def user(**fields: Any) -> Edit:
    def edit(config: dict[str, Any], _: Path) -> None:
        config["users"][0]["user"] = fields

    return edit


def expired(config: dict[str, Any], folder: Path) -> None:
    home = certificates().authority.parent
    usage, subject = "extendedKeyUsage=clientAuth", "/O=system:masters/CN=late"
    certificate, key = issue(home, f"late-{folder.name}", usage, subject, days=-1)
    config["users"][0]["user"] = {"client-certificate": str(certificate), "client-key": str(key)}


def another_authority(config: dict[str, Any], _: Path) -> None:
    del config["clusters"][0]["cluster"]["certificate-authority"]


@pytest.mark.parametrize(
    ("edit", "code", "complaint", "hint"),
    [
        pytest.param(
            server("https://127.0.0.1:9"),
            1,
            "cannot connect to 127.0.0.1:9: Connection refused",
            "it is the cluster's API server; --context and KUBECONFIG say which cluster",
            id="nobody answers",
        ),
        pytest.param(
            another_authority,
            1,
            "127.0.0.1:{port} is not who it should be: unable to get local issuer certificate",
            "the kubeconfig's certificate-authority must be who signed its certificate",
            id="another authority",
        ),
        pytest.param(
            expired,
            1,
            "look for apps/v1: Unauthorized",
            "the credential is not, or no longer, good: log in again",
            id="an expired certificate",
        ),
        pytest.param(
            user(token="bad"),
            1,
            "look for apps/v1: Unauthorized",
            "the credential is not, or no longer, good: log in again",
            id="a token that is not good",
        ),
    ],
)
def test_who_cannot_be_asked(
    world: World, tmp_path: Path, edit: Edit, code: int, complaint: str, hint: str
) -> None:
    config = json.loads(world.cluster.admin.read_text())
    edit(config, tmp_path)
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(config))
    done = world.weft("deploy", "istio", world.image, "-n", world.namespace, who=path)
    said = complaint.format(port=world.cluster.port)
    assert (done.code, done.err) == (code, f"error: {said}\n\nhint: {hint}\n")
    assert world.configs() == []


def test_a_server_that_is_no_api(world: World, tmp_path: Path) -> None:
    config = json.loads(world.cluster.admin.read_text())
    server(f"http://{world.registry}")(config, tmp_path)
    path = tmp_path / "kubeconfig"
    path.write_text(json.dumps(config))
    done = world.weft("deploy", "istio", world.image, "-n", world.namespace, who=path)
    assert done.code == 4
    assert f"hint: every Kubernetes API has that: http://{world.registry} may be something else" in done.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        pytest.param(
            ["-n", "nowhere"],
            2,
            "error: there is no namespace nowhere\n\nhint: -n names it, or metadata.namespace\n",
            id="no such namespace",
        ),
        pytest.param(
            ["--context", "prod"],
            2,
            "error: {kubeconfig}: no context 'prod'\n\nhint: there is test\n",
            id="no such context",
        ),
        pytest.param(
            ["--id", "ä b"],
            2,
            "error: --id 'ä b' is not a name\n\nhint: letters, digits, - and . between letters and digits\n",
            id="an id that is no name",
        ),
        pytest.param(
            ["-n", "../x"],
            2,
            "error: --namespace '../x' is not a name\n\nhint: letters, digits, - and . between letters and"
            " digits\n",
            id="a namespace that is no name",
        ),
        pytest.param(
            ["--cache-repo", "quay.io/x"],
            2,
            "error: --cache-repo: deploying changes no node cache\n\nhint: `weft install` brings node caches:"
            " --image, and --render for all else\n",
            id="wasme's word for its cache",
        ),
    ],
)
def test_a_command_line_that_is_wrong(world: World, words: list[str], code: int, said: str) -> None:
    done = world.weft("deploy", "istio", world.image, *words)
    assert (done.code, done.err) == (code, said.format(kubeconfig=world.cluster.admin))


def test_somebody_who_may_do_nothing(world: World) -> None:
    who = world.cluster.user("nobody")
    where = ("-n", world.namespace)
    for words in (("deploy", "istio", world.image), ("undeploy", "x"), ("status",)):
        done = world.weft(*words, *where, who=who)
        assert done.code == 1
        assert re.fullmatch(
            rf'error: list ([a-z]+) in {world.namespace}: [a-z.]+ is forbidden: User "nobody" cannot list'
            rf' resource "\1" in API group "[a-z]*" in the namespace "{world.namespace}"\n',
            done.err,
        )
    everywhere = world.weft("status", who=who)
    assert (everywhere.code, "hint: -n asks for one namespace only" in everywhere.err) == (1, True)


def intent(world: World, name: str, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "weft.dev/v1alpha1",
        "kind": "FilterDeployment",
        "metadata": {"name": name},
        "spec": {"image": world.image, **spec},
    }


class TestSeveralFilters:
    def deploy(self, world: World, *documents: dict[str, Any]) -> Any:
        config = json.loads(world.cluster.admin.read_text())
        config["contexts"][0]["context"]["namespace"] = world.namespace
        path = world.cluster.folder / f"{world.namespace}.kubeconfig"
        path.write_text(json.dumps(config))
        where = ("--cache-namespace", world.system, "--istio-namespace", world.istio)
        text = "\n---\n".join(map(json.dumps, documents))
        return world.weft("deploy", "istio", "-f", "-", *where, stdin=text, who=path)

    def test_they_go_where_the_context_is(self, world: World) -> None:
        world.workload("details")
        done = self.deploy(world, intent(world, "one"), intent(world, "two"))
        assert done.code == 0, done.err
        assert world.names("wasmplugins") == ["one", "two"]

    @pytest.mark.parametrize(
        ("bad", "complaint"),
        [
            pytest.param({"imgae": "x"}, "spec.imgae: there is no such field", id="a typo"),
            pytest.param(
                {"workloads": {"labels": {"app": "none"}}},
                "filter bad: spec.workloads: no workload",
                id="nowhere",
            ),
            pytest.param({"id": "good"}, "filter bad: its id good is that of filter good", id="one id"),
        ],
    )
    def test_one_that_is_bad_stops_all(self, world: World, bad: dict[str, Any], complaint: str) -> None:
        world.workload("details")
        done = self.deploy(world, intent(world, "good", id="good"), intent(world, "bad", **bad))
        assert (done.code, complaint in done.err) == (2, True), done.err
        assert (world.names("wasmplugins"), world.configs()) == ([], [])

    def test_one_that_is_there_twice(self, world: World) -> None:
        world.workload("details")
        done = self.deploy(world, intent(world, "one"), intent(world, "one"))
        assert done.code == 2
        assert done.err == f"error: filter one of namespace {world.namespace} is there twice\n"


class TestStopped:
    """By Ctrl-C, by kill -9, by an API server that goes away."""

    @contextmanager
    def deploying(self, world: World, *words: str) -> Iterator[subprocess.Popen[str]]:
        where = ("-n", world.namespace, "--cache-namespace", world.system, "--istio-namespace", world.istio)
        command = [sys.executable, "-m", "weft", "deploy", "istio", world.image, *where, "--id", "headers"]
        env = {
            **os.environ,
            "KUBECONFIG": str(world.cluster.admin),
            "WEFT_REGISTRY_PLAIN_HTTP": world.registry,
            "WEFT_HOME": str(world._home),
        }
        process = subprocess.Popen(
            [*command, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env, text=True
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate(timeout=30)

    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
    def test_while_nodes_fetch_the_module(self, world: World, number: int) -> None:
        world.workload("details")
        world.node_cache("one")
        with self.deploying(world, "--mode", "envoyfilter") as process:
            until(lambda: "weft-module" in str(world.configs(world.system)), "module wanted")
            process.send_signal(number)
            _, err = process.communicate(timeout=30)
        assert process.returncode == 130
        assert err.endswith("all that was done is undone\n\nstopped\n"), err
        assert world.configs() == []
        assert "weft-module" not in str(world.configs(world.system))

    def test_while_pods_are_replaced(self, world: World) -> None:
        own = json.dumps([{"name": "own", "emptyDir": {}}])
        world.workload("details", **{VOLUMES[0]: own})
        world.node_cache("one", world.sha256)
        with self.deploying(world, "--mode", "envoyfilter") as process:
            until(lambda: "cache-dir" in str(world.annotations("details")), "mount")
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=30)
        assert process.returncode == 130
        assert err.endswith("all that was done is undone\n\nstopped\n"), err
        assert (world.annotations("details"), world.configs()) == ({VOLUMES[0]: own}, [])

    def test_a_killed_command_is_done_again_or_undone(self, world: World) -> None:
        world.workload("details")
        world.node_cache("one", world.sha256)
        for end in ("deploy", "undeploy"):
            with self.deploying(world, "--mode", "envoyfilter") as process:
                until(lambda: world.annotations("details"), "mount")
                process.kill()
            shown = world.status("headers")
            assert (shown.code, "Missing" in shown.out) == (1, True), shown.out
            if end == "deploy":
                with world.cluster.kubelet(world.namespace):
                    assert world.deploy("--mode", "envoyfilter").code == 0
                    until(lambda: world.status("headers").code == 0, "filter that is ready")
            gone = world.undeploy()
            assert gone.code == 0, gone.err
            assert (world.annotations("details"), world.configs(), world.names("envoyfilters")) == (
                {},
                [],
                [],
            )

    def test_after_a_kill_no_proxy_hears_of_a_file_that_its_pod_does_not_mount(self, world: World) -> None:
        world.workload("details")
        world.node_cache("one", world.sha256)
        with world.cluster.kubelet(world.namespace):
            until(lambda: world.cluster.run_pods(world.namespace), "pod")
        with self.deploying(world, "--mode", "envoyfilter") as process:
            until(lambda: world.annotations("details"), "mount")
            process.kill()
        # Nobody makes the new pod ready, so the old one stays.
        until(lambda: world.counts("details") == (2, 1), "new pod beside the old one")
        again = world.weft(
            "deploy", "istio", world.image, "--id", "headers", "--mode", "envoyfilter", "--timeout", "1",
            "-n", world.namespace, "--cache-namespace", world.system, "--istio-namespace", world.istio,
        )  # fmt: skip
        assert again.code == 1
        assert "details: 1 old pods are still there" in again.err
        assert world.names("envoyfilters") == []

    def test_an_api_server_that_goes_away_and_comes_back(self, world: World) -> None:
        world.workload("details")
        world.node_cache("one")
        with self.deploying(world, "--mode", "envoyfilter") as process:
            until(lambda: "weft-module" in str(world.configs(world.system)), "module wanted")
            world.cluster.kill()
            try:
                _, err = process.communicate(timeout=120)
            finally:
                world.cluster.start()
        assert process.returncode == 1
        assert f"what stands: nodes still hold oci://{world.image}@{world.digest}" in err
        assert err.endswith("hint: what stands is on record: do the same again, or `weft undeploy` it\n")
        assert world.undeploy().code == 0
        assert world.configs() == []
        assert "weft-module" not in str(world.configs(world.system))


class TestAtOnce:
    def test_two_filters_mount_beside_each_other_and_none_is_lost(self, world: World) -> None:
        world.workload("details")
        names = ["one", "two", "three"]
        with world.cluster.kubelet(world.namespace), ThreadPoolExecutor(3) as threads:
            done = list(threads.map(lambda name: world.deploy("--mode", "configmap", id=name), names))
            assert [one.code for one in done] == [0, 0, 0], [one.err for one in done]
            mounted = json.loads(world.annotations("details")[VOLUMES[0]])
            assert sorted(one["name"] for one in mounted) == sorted(names)
            gone = list(threads.map(world.undeploy, names))
            assert [one.code for one in gone] == [0, 0, 0], [one.err for one in gone]
        assert (world.annotations("details"), world.configs(), world.names("envoyfilters")) == ({}, [], [])

    def test_pods_that_others_broke_do_not_keep_a_filter_there(self, world: World) -> None:
        world.workload("details")
        world.node_cache("one", world.sha256)
        with world.cluster.kubelet(world.namespace):
            assert world.deploy("--mode", "envoyfilter").code == 0
        where = ("-n", world.namespace, "--cache-namespace", world.system)
        gone = world.weft("undeploy", "headers", *where, "--timeout", "0.5")
        assert gone.code == 0, gone.err
        assert "the filter is gone from them" in gone.err
        assert (world.annotations("details"), world.configs(), world.names("envoyfilters")) == ({}, [], [])
