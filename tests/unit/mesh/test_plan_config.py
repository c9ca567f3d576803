"""What a filter is told, may do and runs in."""

import json
from typing import Any

import pytest

from weft.mesh import Facts, ImageUrl, PlanRefused
from worlds.intents import (
    IMAGE,
    MODULE,
    a_plan,
    facts,
    refused,
)


class TestConfig:
    def config(self, *, known: Facts | None = None, **asked: Any) -> Any:
        held = a_plan(istio={"mode": "envoyfilter"}, known=known, **asked).objects[-1]
        value = held["spec"]["configPatches"][0]["patch"]["value"]
        return value["typedConfig"]["value"]["config"]

    def test_secrets_are_put_where_they_belong(self) -> None:
        known = facts(values={("Secret", "s", "k"): "t0ken", ("ConfigMap", "c", ""): "v"})
        sources = [
            {"secretKeyRef": {"name": "s", "key": "k"}, "path": "auth.token"},
            {"configMapKeyRef": {"name": "c"}, "path": "plain"},
        ]
        config = self.config(config={"a": 1}, configFrom=sources, known=known)
        assert json.loads(config["configuration"]["value"]) == {
            "a": 1,
            "auth": {"token": "t0ken"},
            "plain": "v",
        }

    def test_a_secret_cannot_go_into_text(self) -> None:
        known = facts(values={("Secret", "s", ""): "t0ken"})
        source = {"secretKeyRef": {"name": "s"}, "path": "a.b"}
        refusal = refused(config={"a": "text"}, configFrom=[source], known=known)
        assert refusal.reasons[0] == "spec.configFrom[0].path: 'a' in 'a.b' is no mapping"

    def test_capabilities_are_the_imports_and_the_callbacks(self) -> None:
        assert self.config(capabilities="auto")["capabilityRestrictionConfig"] == {
            "allowedCapabilities": {
                "proxy_add_header_map_value": {},
                "proxy_log": {},
                "proxy_on_configure": {},
                "proxy_on_response_headers": {},
            }
        }

    def test_without_the_module_all_callbacks_are_allowed(self) -> None:
        image = ImageUrl.parse(IMAGE)
        with pytest.raises(PlanRefused):
            self.config(capabilities="auto", known=Facts(image=image))
        allowed = self.config(capabilities=["proxy_log"])["capabilityRestrictionConfig"][
            "allowedCapabilities"
        ]
        assert set(allowed) == {"proxy_log", *MODULE.callbacks}

    @pytest.mark.parametrize(
        ("failure", "version", "fields"),
        [
            ("closed", "", {}),
            ("open", "", {"failurePolicy": "FAIL_OPEN"}),
            ("open", "1.24", {"failOpen": True}),
            ("reload", "1.27", {"failurePolicy": "FAIL_RELOAD"}),
        ],
    )
    def test_a_failure_is_told_as_the_proxies_know_it(self, failure: str, version: str, fields: Any) -> None:
        config = self.config(failure=failure, known=facts(istio_version=version))
        assert {key: config[key] for key in config if key.startswith("fail")} == fields

    def test_the_root_id_is_the_first_that_the_image_names(self) -> None:
        known = facts(root_ids=("first", "second"))
        assert self.config(known=known)["rootId"] == "first"
        assert self.config(known=known, rootId="mine")["rootId"] == "mine"

    def test_a_variable_may_be_the_proxys_own(self) -> None:
        config = self.config(environment={"A": "1"}, hostEnvironment=["POD_NAME"])
        assert config["vmConfig"]["environmentVariables"] == {
            "keyValues": {"A": "1"},
            "hostEnvKeys": ["POD_NAME"],
        }
