"""Which cluster a user means: files as kubectl reads them, and what is said when one is wrong."""

import base64
import json
import os
from pathlib import Path
from typing import Any

import pytest

from weft.errors import UsageError
from weft.kube import Cluster, find_cluster
from weft.kube.kubeconfig import ExecPlugin


def coded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def config(
    name: str = "one",
    *,
    cluster: dict[str, Any] | None = None,
    user: dict[str, Any] | None = None,
    current: str | None = None,
    **context: Any,
) -> dict[str, Any]:
    """A file with one context, cluster and user, all called ``name``."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "preferences": {},
        "current-context": name if current is None else current,
        "clusters": [{"name": name, "cluster": cluster or {"server": f"https://{name}:6443"}}],
        "users": [{"name": name, "user": user or {}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, **context}}],
    }


def write(path: Path, document: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def found(path: Path, document: object, **more: Any) -> Cluster:
    return find_cluster({}, file=write(path / "config", document), **more)


def complaint(path: Path, document: object, **more: Any) -> tuple[str, str | None]:
    """The message, with the file's name short, and the hint."""
    with pytest.raises(UsageError) as caught:
        found(path, document, **more)
    return str(caught.value).replace(str(path), ""), caught.value.hint


class TestWhere:
    """Which files are read."""

    def test_the_file_named_comes_before_all_else(self, tmp_path: Path) -> None:
        named = write(tmp_path / "named", config("named"))
        listed = write(tmp_path / "listed", config("listed"))
        home = write(tmp_path / ".kube/config", config("home"))
        env = {"HOME": str(tmp_path), "KUBECONFIG": str(listed)}
        assert find_cluster(env, file=named).name == "named"
        assert find_cluster(env).name == "listed"
        assert find_cluster({"HOME": str(tmp_path), "KUBECONFIG": ""}).name == "home"
        home.unlink()
        with pytest.raises(UsageError):
            find_cluster({"HOME": str(tmp_path)})

    def test_a_pod_uses_its_own_account(self, tmp_path: Path) -> None:
        write(tmp_path / "token", "abc\n")
        write(tmp_path / "ca.crt", "PEM")
        write(tmp_path / "namespace", "weft-system\n")
        env = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "KUBERNETES_SERVICE_PORT": "8443"}
        cluster = find_cluster(env, account=tmp_path)
        assert (cluster.name, cluster.server) == ("in-cluster", "https://10.96.0.1:8443")
        assert (cluster.namespace, cluster.authority) == ("weft-system", b"PEM")
        assert cluster.user.token_file == tmp_path / "token"

    def test_a_pod_of_an_ipv6_cluster_without_more_words(self, tmp_path: Path) -> None:
        write(tmp_path / "token", "abc")
        write(tmp_path / "ca.crt", "PEM")
        cluster = find_cluster({"KUBERNETES_SERVICE_HOST": "fd00::1"}, account=tmp_path)
        assert (cluster.server, cluster.namespace) == ("https://[fd00::1]:443", "default")

    def test_a_file_comes_before_the_account_and_a_context_is_never_the_pods(self, tmp_path: Path) -> None:
        write(tmp_path / "token", "abc")
        env = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "HOME": str(tmp_path)}
        with pytest.raises(UsageError):
            find_cluster(env, context="other", account=tmp_path)
        write(tmp_path / ".kube/config", config("home"))
        assert find_cluster(env, account=tmp_path).name == "home"

    def test_an_account_without_its_authority_is_named(self, tmp_path: Path) -> None:
        write(tmp_path / "token", "abc")
        with pytest.raises(UsageError) as caught:
            find_cluster({"KUBERNETES_SERVICE_HOST": "10.96.0.1"}, account=tmp_path)
        assert str(caught.value) == f"{tmp_path}/ca.crt: No such file or directory"

    @pytest.mark.parametrize(
        ("env", "file", "message", "hint"),
        [
            pytest.param(
                {"HOME": "/nobody"},
                None,
                "no cluster: there is no /nobody/.kube/config",
                "set KUBECONFIG, or name the file with --kubeconfig",
                id="home",
            ),
            pytest.param(
                {"KUBECONFIG": "/nobody/a::/nobody/b"},
                None,
                "no cluster: there is no /nobody/a and no /nobody/b",
                "set KUBECONFIG, or name the file with --kubeconfig",
                id="KUBECONFIG",
            ),
            pytest.param({}, Path("/nobody/c"), "/nobody/c: no such file", None, id="named"),
            pytest.param({}, Path("/"), "/: Is a directory", None, id="a folder"),
        ],
    )
    def test_no_file_at_all(
        self, env: dict[str, str], file: Path | None, message: str, hint: str | None
    ) -> None:
        with pytest.raises(UsageError) as caught:
            find_cluster(env, file=file)
        assert (str(caught.value), caught.value.hint) == (message, hint)

    def test_a_huge_file_is_not_read(self, tmp_path: Path) -> None:
        path = tmp_path / "config"
        with path.open("wb") as held:
            held.truncate(5 * 1024 * 1024)
        with pytest.raises(UsageError) as caught:
            find_cluster({}, file=path)
        assert str(caught.value) == f"{path} is larger than 4194304 bytes"


class TestMerging:
    """Several files are one."""

    def test_of_two_entries_with_one_name_the_first_counts(self, tmp_path: Path) -> None:
        first = write(tmp_path / "a", config("one", cluster={"server": "https://first"}))
        second = write(
            tmp_path / "b", config("one", cluster={"server": "https://second"}, user={"token": "b"})
        )
        cluster = find_cluster({"KUBECONFIG": f"{first}{os.pathsep}{second}"})
        assert (cluster.server, cluster.user.token) == ("https://first", "")

    def test_parts_may_be_in_different_files_and_some_files_missing(self, tmp_path: Path) -> None:
        contexts = {"contexts": [{"name": "x", "context": {"cluster": "one", "user": "two"}}]}
        paths = [
            write(tmp_path / "a", contexts),
            tmp_path / "missing",
            write(tmp_path / "b", config("one", current="")),
            write(tmp_path / "c", config("two", user={"token": "t"}, current="x")),
            write(tmp_path / "d", "current-context: one\nclusters: null\nusers: null\ncontexts: null\n"),
            write(tmp_path / "e", ""),
        ]
        cluster = find_cluster({"KUBECONFIG": os.pathsep.join(map(str, paths))})
        assert (cluster.name, cluster.server, cluster.user.token) == ("x", "https://one:6443", "t")

    def test_relative_paths_are_those_of_their_own_file(self, tmp_path: Path) -> None:
        write(tmp_path / "one/ca.pem", "CA")
        write(tmp_path / "two/me.crt", "CERT")
        write(tmp_path / "two/keys/me.key", "KEY")
        cluster = {"server": "https://one", "certificate-authority": "ca.pem"}
        user = {
            "client-certificate": "me.crt",
            "client-key": "./keys/me.key",
            "tokenFile": "t",
            "exec": {"command": "../bin/login", "apiVersion": "v1"},
        }
        first = write(tmp_path / "one/config", config("one", cluster=cluster))
        second = write(tmp_path / "two/config", config("two", user=user))
        contexts = {"contexts": [{"name": "x", "context": {"cluster": "one", "user": "two"}}]}
        third = write(tmp_path / "three", contexts)
        listed = os.pathsep.join(map(str, (first, second, third)))
        got = find_cluster({"KUBECONFIG": listed}, context="x")
        assert (got.authority, got.user.certificate, got.user.key) == (b"CA", b"CERT", b"KEY")
        assert got.user.token_file == tmp_path / "two/t"
        assert got.user.exec is not None
        assert got.user.exec.command == str(tmp_path / "two/../bin/login")


class TestReading:
    """What a file says."""

    def test_all_that_may_be_said_of_a_cluster(self, tmp_path: Path) -> None:
        cluster = {
            "server": "https://api.example:6443/k8s/clusters/c-1//",
            "certificate-authority-data": coded("CA"),
            "certificate-authority": "/not/read",
            "insecure-skip-tls-verify": True,
            "tls-server-name": "kubernetes",
            "proxy-url": "http://proxy:3128",
            "extensions": [{"name": "x", "extension": {}}],
        }
        got = found(tmp_path, config(cluster=cluster, namespace="bookinfo"))
        assert got.server == "https://api.example:6443/k8s/clusters/c-1"
        assert (got.authority, got.insecure, got.server_name) == (b"CA", True, "kubernetes")
        assert (got.proxy, got.namespace) == ("http://proxy:3128", "bookinfo")

    def test_all_that_may_be_said_of_a_user(self, tmp_path: Path) -> None:
        user = {
            "client-certificate-data": coded("CERT"),
            "client-key-data": coded("KEY"),
            "token": "t",
            "username": "me",
            "password": "secret",
        }
        got = found(tmp_path, config(user=user)).user
        assert (got.certificate, got.key, got.token) == (b"CERT", b"KEY", "t")
        assert (got.username, got.password) == ("me", "secret")

    def test_secrets_are_not_shown_by_accident(self, tmp_path: Path) -> None:
        secrets = {"token": "s3cret", "password": "s3cret", "client-key-data": coded("s3cret")}
        assert "s3cret" not in repr(found(tmp_path, config(user=secrets)))

    def test_an_exec_plugin(self, tmp_path: Path) -> None:
        plugin = {
            "apiVersion": "client.authentication.k8s.io/v1",
            "command": "aws",
            "args": ["eks", "get-token"],
            "env": [{"name": "AWS_PROFILE", "value": "x"}],
            "installHint": "install aws",
            "provideClusterInfo": True,
            "interactiveMode": "IfAvailable",
        }
        got = found(tmp_path, config(user={"exec": plugin})).user.exec
        assert got is not None
        assert (got.command, got.args, got.install_hint) == ("aws", ["eks", "get-token"], "install aws")
        assert [(one.name, one.value) for one in got.env or ()] == [("AWS_PROFILE", "x")]
        assert got.provide_cluster_info

    def test_an_exec_plugin_with_nothing_said(self, tmp_path: Path) -> None:
        plugin = {"apiVersion": "v1", "command": "x", "args": None, "env": None}
        assert found(tmp_path, config(user={"exec": plugin})).user.exec == ExecPlugin("x", "v1")

    def test_yaml_is_read_too_and_another_context_can_be_named(self, tmp_path: Path) -> None:
        text = (
            "current-context: a\n"
            "clusters:\n- {name: c, cluster: {server: 'https://c'}}\n"
            "contexts:\n- name: a\n  context: {cluster: c}\n- name: b\n"
            "  context:\n    cluster: c\n    namespace: n\n"
        )
        assert found(tmp_path, text).namespace == "default"
        got = found(tmp_path, text, context="b")
        assert (got.name, got.namespace, got.user.token) == ("b", "n", "")


NO_AUTH_PROVIDER = "renew the kubeconfig with your cloud's own tool: it writes an exec plugin today"


@pytest.mark.parametrize(
    ("document", "message", "hint"),
    [
        pytest.param("", "/config: no current-context", "name one with --context", id="empty"),
        pytest.param(
            config(current=""), "/config: no current-context", "name one with --context", id="no current"
        ),
        pytest.param("a: [", "/config at line 1, column 5: ", None, id="no YAML"),
        pytest.param("text", "/config is no kubeconfig: Expected `object`, got `str`", None, id="no mapping"),
        pytest.param("\x00", "/config: ", None, id="binary"),
        pytest.param(
            {"clusters": [{"cluster": {}}]},
            "/config is no kubeconfig: Object missing required field `name` - at `$.clusters[0]`",
            None,
            id="no name",
        ),
        pytest.param(
            config(cluster={"server": "https://x", "certificate-authority-data": "%"}),
            "/config is no kubeconfig: Invalid base64 encoded string - at "
            "`$.clusters[0].cluster.certificate-authority-data`",
            None,
            id="no base64",
        ),
        pytest.param(
            config(user={"exec": {"command": "x"}}),
            "/config is no kubeconfig: Object missing required field `apiVersion`"
            " - at `$.users[0].user.exec`",
            None,
            id="no version of exec",
        ),
        pytest.param(
            config("one", current="two"), "/config: no context 'two'", "there is one", id="no such context"
        ),
        pytest.param(
            {"current-context": "x", "contexts": [{"name": "x", "context": {"cluster": "c"}}]},
            "/config: no cluster 'c'",
            "there is none",
            id="no such cluster",
        ),
        pytest.param(
            config("b", user={}) | {"users": [{"name": "z"}, {"name": "a"}]},
            "/config: no user 'b'",
            "there is a, z",
            id="no such user",
        ),
        pytest.param(
            config(cluster={"server": "one:6443"}),
            "/config: the server of context one is 'one:6443', not a URL",
            None,
            id="no URL",
        ),
        pytest.param(
            config(cluster={"server": "https://x", "proxy-url": "socks5://localhost:1080"}),
            "/config: the proxy-url of context one is 'socks5://localhost:1080', not a http URL",
            None,
            id="a proxy we cannot use",
        ),
        pytest.param(
            config(cluster={"server": "https://x", "certificate-authority": "no.pem"}),
            "/no.pem: No such file or directory",
            None,
            id="no such file",
        ),
        pytest.param(
            config(user={"auth-provider": {"name": "gcp", "config": {}}}),
            "/config: user one has the auth-provider gcp, which Kubernetes dropped with 1.26",
            NO_AUTH_PROVIDER,
            id="auth-provider",
        ),
        pytest.param(
            config(user={"token": "t", "as": "root", "as-groups": ["x"]}),
            "/config: user one acts as root, which weft does not",
            "name a context without impersonation",
            id="impersonation",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, document: object, message: str, hint: str | None) -> None:
    said, hinted = complaint(tmp_path, document)
    if message.endswith(": "):  # the reader's own words follow
        said = said[: len(message)]
    assert (said, hinted) == (message, hint)


def test_only_what_is_used_must_be_right(tmp_path: Path) -> None:
    document = config("one")
    document["users"].append({"name": "old", "user": {"auth-provider": {"name": "gcp"}}})
    document["clusters"].append({"name": "old", "cluster": {"certificate-authority": "/no/such"}})
    assert found(tmp_path, document).server == "https://one:6443"
