"""Policies: which keys an image needs, and every reason when it has not got them."""

import pytest

from weft.errors import UsageError
from weft.oci import Digest, Reference
from weft.signing import Policy, PrivateKey, Signature, Unverified, read_bundle
from weft.signing.bundle import bundle_signature

DIGEST = Digest.of(b"m")
TEAM, RELEASE, STRANGER = (PrivateKey.generate("ed25519") for _ in range(3))
FILES = {"team.pub": TEAM.public.to_pem(), "release.pub": RELEASE.public.to_pem()}
TEXT = """
keys: {team: team.pub, release: release.pub}
rules:
  - images: hub.example.com/team/**
    allOf: [team, release]
  - images: hub.example.com/*
    anyOf: [team, release]
  - images: localhost:*/**
    unsigned: true
"""
POLICY = Policy.parse(TEXT, FILES.__getitem__, where="policy.yaml")


def signed(*keys: PrivateKey) -> list[Signature]:
    return [one for key in keys for one in read_bundle(bundle_signature(DIGEST, key), where="img")]


@pytest.mark.parametrize(
    ("image", "keys"),
    [
        pytest.param("hub.example.com/team/a/b:v1", (TEAM, RELEASE), id="all of"),
        pytest.param("hub.example.com/f:v1", (RELEASE,), id="any of"),
        pytest.param("hub.example.com/f:v1", (STRANGER, TEAM), id="a stranger beside"),
        pytest.param("localhost:5000/x/y:v1", (), id="unsigned"),
    ],
)
def test_enough_signatures_are_enough(image: str, keys: tuple[PrivateKey, ...]) -> None:
    POLICY.check(Reference.parse(image), DIGEST, signed(*keys))


@pytest.mark.parametrize(
    ("image", "keys", "complaint", "detail"),
    [
        pytest.param(
            "hub.example.com/team/f:v1",
            (TEAM,),
            f"signatures of all of team, release are needed, and team has signed {DIGEST}",
            "it has no signatures",
            id="one of two",
        ),
        pytest.param(
            "hub.example.com/f:v1",
            (STRANGER,),
            f"a signature of one of team, release is needed, and nobody has signed {DIGEST}",
            "was made with none of the keys release, team",
            id="stranger",
        ),
        pytest.param(
            "hub.example.com/f:v1", (), "and nobody has signed", "it has no signatures", id="unsigned"
        ),
    ],
)
def test_too_few_are_refused_with_every_reason(
    image: str, keys: tuple[PrivateKey, ...], complaint: str, detail: str
) -> None:
    with pytest.raises(Unverified) as caught:
        POLICY.check(Reference.parse(image), DIGEST, signed(*keys))
    assert complaint in str(caught.value)
    assert detail in (caught.value.detail or "")
    assert caught.value.exit_code == 7


def test_an_image_that_no_rule_is_about_is_refused() -> None:
    with pytest.raises(Unverified, match=r"no rule of the policy is about docker\.io/library/f"):
        POLICY.check(Reference.parse("f"), DIGEST, signed(TEAM))


def test_one_of_some_keys_is_a_policy_for_everything() -> None:
    policy = Policy.of_keys({"team.pub": TEAM.public, "release.pub": RELEASE.public})
    assert policy.check(Reference.parse("f"), DIGEST, signed(TEAM)).signed_by == {"team.pub"}
    assert policy.check(Reference.parse("f"), DIGEST, signed(RELEASE)).signed_by == {"release.pub"}
    with pytest.raises(Unverified):
        policy.check(Reference.parse("f"), DIGEST, signed(STRANGER))


def test_what_could_not_be_read_is_a_reason_too() -> None:
    policy = Policy.of_keys({"team.pub": TEAM.public})
    with pytest.raises(Unverified) as caught:
        policy.check(Reference.parse("f"), DIGEST, [], unread=["bundle 1 is broken"])
    assert caught.value.detail == "bundle 1 is broken"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        pytest.param("a: [", "policy.yaml is not YAML", id="syntax"),
        pytest.param("", "policy.yaml: Expected `object`, got `null`", id="empty"),
        pytest.param("keys: {}", "policy.yaml: Object missing required field `rules`", id="no rules"),
        pytest.param(
            "keys: {}\nrules: [{images: '**', anyof: [x]}]",
            "policy.yaml: Object contains unknown field `anyof` - at `$.rules[0]`",
            id="misspelt",
        ),
        pytest.param(
            "keys: {}\nrules: [{images: '**'}]",
            "policy.yaml: rules[0] must have exactly one of allOf, anyOf and unsigned: true",
            id="no demand",
        ),
        pytest.param(
            "keys: {}\nrules: [{images: '**', anyOf: [team]}]",
            "policy.yaml: rules[0] names keys that are not in `keys` or `identities`: team",
            id="unknown key",
        ),
    ],
)
def test_a_mistake_in_the_file_is_named(text: str, complaint: str) -> None:
    with pytest.raises(UsageError) as caught:
        Policy.parse(text, FILES.__getitem__, where="policy.yaml")
    assert str(caught.value).startswith(complaint)
