"""``WWW-Authenticate`` as registries write it, and as nobody should."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.registry.challenge import Challenge, parse_challenges

HUB = 'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"'


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        pytest.param(
            [HUB],
            [
                Challenge(
                    "bearer",
                    {
                        "realm": "https://auth.docker.io/token",
                        "service": "registry.docker.io",
                        "scope": "repository:a/b:pull,push",
                    },
                )
            ],
            id="docker hub",
        ),
        pytest.param(
            ['BASIC Realm="a \\"b\\", c", charset=UTF-8'],
            [Challenge("basic", {"realm": 'a "b", c', "charset": "UTF-8"})],
            id="any case, quotes and commas",
        ),
        pytest.param(
            ['Basic realm="x", Bearer realm="https://t/",service=s', "Negotiate"],
            [
                Challenge("basic", {"realm": "x"}),
                Challenge("bearer", {"realm": "https://t/", "service": "s"}),
                Challenge("negotiate", {}),
            ],
            id="several",
        ),
        pytest.param(['Bearer realm="a",realm="b"'], [Challenge("bearer", {"realm": "a"})], id="first wins"),
        pytest.param(['realm="nobody"'], [], id="no scheme"),
        pytest.param(["", ","], [], id="nothing"),
        pytest.param(['Bearer realm="unclosed'], [Challenge("bearer", {})], id="unclosed"),
    ],
)
def test_challenges_are_read(headers: list[str], expected: list[Challenge]) -> None:
    assert list(parse_challenges(headers)) == expected


@given(st.text(max_size=200))
def test_any_header_is_survived(header: str) -> None:
    assert len(parse_challenges([header])) <= 8
