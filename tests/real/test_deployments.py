"""What plans tell proxies is taken by the real Envoy, and does there what the intent says."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from modules.tiny import tiny_filter
from parts import envoy_binary
from weft.base.processes import run
from weft.envoy import Launch, Native, Proxy
from weft.mesh import Facts, ModuleFacts, Plan, default_bootstrap, discovered_filter, make_plan
from weft.mesh.intent.plugin import Plugin
from worlds.intents import DETAILS, an_intent, facts
from worlds.serving import Answer, ask

pytestmark = pytest.mark.real("envoy")

Serve = Callable[[Mapping[str, Any]], AbstractAsyncContextManager[Callable[..., Any]]]
ROUTES = [
    {"match": {"path": {"prefix": "/healthz"}}, "disabled": True},
    {"match": {"host": "api.example.com", "path": {"prefix": "/v1"}}, "config": "v1 of api"},
    {"match": {"host": "*.example.org"}, "config": "example.org"},
    {"match": {"path": {"exact": "/a.b"}}, "config": "exact"},
    {"match": {"path": {"regex": "/user/[0-9]+|/me"}}, "config": "regex"},
    {"match": {"headers": {"X-Kind": "beta", "x-user": {"prefix": "t-"}}}, "config": "headers"},
]


@pytest.fixture
def envoy() -> Native:
    path = envoy_binary()
    assert path
    return Native(path)


@pytest.fixture
def module(tmp_path: Path) -> ModuleFacts:
    """The tiny filter, in a file named as the node cache names it."""
    held = ModuleFacts.of(tiny_filter())
    (tmp_path / held.sha256).write_bytes(tiny_filter())
    return held


@pytest.fixture
def known(module: ModuleFacts, tmp_path: Path) -> Facts:
    return facts(module=module, module_path=str(tmp_path / module.sha256), workloads=(DETAILS,))


@pytest.fixture
def serve(envoy: Native, tmp_path: Path, env: dict[str, str]) -> Serve:
    """Run a bootstrap, and ask it: ``await get("/path", host="a")`` is the value of the filter's header."""

    @asynccontextmanager
    async def run(bootstrap: Mapping[str, Any]) -> AsyncIterator[Callable[..., Any]]:
        folder = tmp_path / "envoy"
        folder.mkdir()
        launch = Launch(program=envoy, bootstrap=bootstrap, folder=folder, env=env)

        async with Proxy(launch).serving() as proxy:

            async def get(path: str, **headers: str) -> str | None:
                named = {key.replace("_", "-"): value for key, value in headers.items()}
                answer: Answer = await asyncio.to_thread(ask, proxy.url, "GET", path, named)
                assert answer.status == 200
                return answer.header("x-tiny")

            yield get

    return run


def told(plan: Plan) -> Any:
    return plan.objects[-1]


async def test_each_request_gets_the_config_of_its_route(known: Facts, serve: Serve) -> None:
    plan = make_plan(an_intent(target={"envoy": {}}, config="all", routes=ROUTES), known)
    async with serve(told(plan)) as get:
        assert await get("/") == "all"
        assert [await get(path) for path in ("/healthz", "/healthz/deep?x=1", "/health")] == [
            None,
            None,
            "all",
        ]
        assert [await get("/v1/x", host=host) for host in ("api.example.com", "API.example.com:80", "b")] == [
            "v1 of api",
            "v1 of api",
            "all",
        ]
        hosts = ("a.example.org", "a.b.EXAMPLE.org:8080", "example.org", "aexample.org", "a.example.org.evil")
        assert [await get("/", host=host) for host in hosts] == ["example.org"] * 2 + ["all"] * 3
        assert [await get(path) for path in ("/a.b", "/a.b?q=1", "/axb", "/a.b/c")] == ["exact"] * 2 + [
            "all"
        ] * 2
        assert [await get(path) for path in ("/user/12?q", "/me", "/user/x", "/me/x")] == [
            "regex",
            "regex",
            "all",
            "all",
        ]
        assert await get("/", x_kind="beta", x_user="t-1") == "headers"
        assert await get("/", x_kind="beta") == "all"
        assert await get("/healthz", host="a.example.org") is None


async def test_configs_of_routes_keep_apart_what_a_module_holds_in_globals(
    known: Facts, serve: Serve
) -> None:
    """The tiny filter keeps its configuration in a global: in a shared VM the last one configured wins."""
    asked: dict[str, Any] = {"target": {"envoy": {}}, "config": "all", "routes": ROUTES[:2], "vm": "shared"}
    async with serve(told(make_plan(an_intent(**asked), known))) as get:
        assert await get("/") == await get("/v1", host="api.example.com")


async def test_routes_come_by_discovery_too(known: Facts, serve: Serve, tmp_path: Path) -> None:
    target = {"xds": {"directory": str(tmp_path)}}
    plan = make_plan(an_intent(target=target, config="all", routes=ROUTES), known)
    document = tmp_path / "discovery.json"
    document.write_text(json.dumps({"version_info": "1", "resources": [told(plan)]}))
    entry = discovered_filter(Plugin(id=plan.filter_id, module=""), str(document), routed=True)
    async with serve(default_bootstrap([entry])) as get:
        assert [await get(path) for path in ("/", "/healthz", "/a.b")] == ["all", None, "exact"]


@pytest.mark.parametrize(
    ("capabilities", "header"),
    [
        pytest.param("auto", "x", id="what it imports"),
        pytest.param(["proxy_get_buffer_bytes", "proxy_add_header_map_value"], "x", id="what it needs"),
        pytest.param(["proxy_get_buffer_bytes"], None, id="no headers"),
    ],
)
async def test_a_module_may_do_what_its_capabilities_say(
    known: Facts, serve: Serve, capabilities: Any, header: str | None
) -> None:
    plan = make_plan(an_intent(target={"envoy": {}}, config="x", capabilities=capabilities), known)
    async with serve(told(plan)) as get:
        assert await get("/") == header


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param({"config": "text"}, id="text"),
        pytest.param({"config": {"a": 1}, "failure": "reload", "capabilities": "auto"}, id="all fields"),
        pytest.param({"environment": {"A": "1"}, "hostEnvironment": ["PATH"]}, id="environment"),
        pytest.param({"config": "all", "routes": ROUTES}, id="routes"),
    ],
)
@pytest.mark.parametrize("version", ["", "1.27", "1.9"])
async def test_what_an_envoyfilter_puts_into_a_chain_is_taken(
    known: Facts, envoy: Native, tmp_path: Path, env: dict[str, str], asked: Any, version: str
) -> None:
    if version == "1.9":
        asked = {key: value for key, value in asked.items() if key != "routes"}
        asked |= {"failure": "open"}
    istio = {"mode": "envoyfilter", "version": version, "volume": {"path": str(tmp_path)}}
    plan = make_plan(an_intent(istio=istio, **asked), known)
    [patch] = told(plan)["spec"]["configPatches"]
    file = tmp_path / "bootstrap.json"
    file.write_text(json.dumps(default_bootstrap([patch["patch"]["value"]])))
    ended = await run(
        envoy.command(["--mode", "validate", "--config-path", str(file)], tmp_path), env=env, timeout=60
    )
    assert ended.code == 0, ended.output
