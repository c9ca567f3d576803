"""The least disruptive way to Istio is taken, and the plan says why."""

from typing import Any

import pytest

from modules.sample_images import sample
from weft.image import Answer, Published, ask_consumers
from weft.mesh import Facts, ImageUrl
from worlds.intents import (
    a_plan,
    facts,
    refused,
)


def answers_to(flavor: str) -> tuple[Answer, ...]:
    image = sample(flavor=flavor)
    return ask_consumers(Published("hub/f:v1", image.manifest, image.blobs))


class TestModeAuto:
    @pytest.mark.parametrize(
        ("asked", "version", "target"),
        [
            pytest.param({}, "", "istio/wasmplugin", id="nothing special"),
            pytest.param({}, "1.29.6", "istio/wasmplugin", id="before TrafficExtension"),
            pytest.param({}, "1.30.3", "istio/trafficextension", id="since TrafficExtension"),
            pytest.param({}, "1.11", "istio/envoyfilter", id="before WasmPlugin"),
            pytest.param({"config": "text"}, "1.30", "istio/envoyfilter", id="text as config"),
            pytest.param(
                {"config": '{"a":1}'}, "1.30", "istio/trafficextension", id="text that is an object"
            ),
            pytest.param(
                {"routes": [{"match": {"host": "a"}, "disabled": True}]},
                "1.30",
                "istio/envoyfilter",
                id="routes",
            ),
            pytest.param(
                {"capabilities": ["proxy_log"]}, "1.30", "istio/envoyfilter", id="fewer capabilities"
            ),
            pytest.param(
                {"capabilities": "auto"}, "1.30", "istio/trafficextension", id="its own capabilities"
            ),
            pytest.param(
                {"capabilities": ["proxy_log", "proxy_add_header_map_value", "proxy_done"]},
                "1.30",
                "istio/trafficextension",
                id="more capabilities than it uses",
            ),
            pytest.param({"failure": "reload"}, "1.27", "istio/wasmplugin", id="reload"),
        ],
    )
    def test_the_least_disruptive_way_is_taken(self, asked: Any, version: str, target: str) -> None:
        assert a_plan(**asked, known=facts(istio_version=version)).target == target

    def test_proxies_that_cannot_reload_are_not_told_to(self) -> None:
        assert a_plan(failure="reload", known=facts(istio_version="1.25")).target == "istio/envoyfilter"
        assert refused(failure="reload", known=facts(istio_version="1.24")).reasons == (
            "istio/wasmplugin: Istio 1.24 has no FAIL_RELOAD; it came with 1.27",
            "istio/envoyfilter: spec.failure: the proxies of Istio 1.24 cannot reload a filter",
        )

    def test_it_says_why(self) -> None:
        assert a_plan(config="text", known=facts(istio_version="1.30")).reasons[:3] == (
            "mode auto chose envoyfilter: the least disruptive way that can do what is asked",
            (
                "not istio/trafficextension: istio/trafficextension takes a JSON object as"
                " spec.config, not other text"
            ),
            "not istio/wasmplugin: istio/wasmplugin takes a JSON object as spec.config, not other text",
        )

    def test_where_no_way_leads_all_are_told(self) -> None:
        refusal = refused(known=Facts(image=ImageUrl.parse("hub/a/b:v1")))
        assert refusal.reasons == (
            (
                "istio/wasmplugin: the image is not resolved to a digest; a tag that moves would"
                " stop the proxies"
            ),
            "istio/envoyfilter: the file is named by the module's sha256, and the image was not looked into",
        )

    def test_an_image_that_istio_cannot_read_goes_by_file(self) -> None:
        plan = a_plan(known=facts(consumers=answers_to("cncf")))
        assert plan.target == "istio/envoyfilter"
        assert plan.reasons[1].startswith(
            "not istio/wasmplugin: Istio's agent would not take the image: the given image is in"
        )

    @pytest.mark.parametrize("flavor", ["solo", "compat"])
    def test_an_image_that_istio_reads_is_pulled_by_it(self, flavor: str) -> None:
        assert a_plan(known=facts(consumers=answers_to(flavor))).target == "istio/wasmplugin"
