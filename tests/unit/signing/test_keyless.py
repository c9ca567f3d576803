"""Sigstore's certificates instead of keys, judged by the library, with a sigstore of our own."""

import datetime as dt
import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from weft.errors import PartMissing, UsageError
from weft.oci import Digest, Reference
from weft.signing import Identity, Keyless, Policy, PrivateKey, SignatureInvalid, Unverified, read_bundle
from worlds.sigstore import ISSUER, SIGNED_AT, SigstoreWorld

DIGEST = Digest.of(b"an image")
IMAGE = Reference.parse("hub.example.com/team/f:v1")
ME = Identity("me@example.com", ISSUER)
WORLD = SigstoreWorld()
GOOD = WORLD.bundle(DIGEST, ME.subject)


def policy(identity: Identity = ME, world: SigstoreWorld = WORLD) -> Policy:
    return Policy.of_identity(identity, Keyless(world.trusted_root()))


def judged(bundle: bytes, by: Policy | None = None) -> frozenset[str]:
    return (by or policy()).check(IMAGE, DIGEST, read_bundle(bundle, where="test")).signed_by


def reason(bundle: bytes, by: Policy | None = None) -> str:
    with pytest.raises(Unverified) as refused:
        judged(bundle, by)
    return str(refused.value.detail)


def altered(change: Callable[[dict[str, Any]], object]) -> bytes:
    """The good bundle with something else in it."""
    document = json.loads(GOOD)
    change(document)
    return json.dumps(document).encode()


def test_the_identity_that_signed_is_named() -> None:
    assert judged(GOOD) == {f"me@example.com ({ISSUER})"}


def test_a_workflow_is_an_identity_too() -> None:
    workflow = Identity(
        "https://ci.example.com/team/f/.ci/release.yml@refs/heads/main", "https://ci.example.com"
    )
    bundle = WORLD.bundle(DIGEST, workflow.subject, issuer=workflow.issuer)
    assert judged(bundle, policy(workflow)) == {str(workflow)}


@pytest.mark.parametrize(
    ("identity", "why"),
    [
        (Identity("you@example.com", ISSUER), "Certificate's SANs do not match you@example.com"),
        (Identity("me@example.com", "https://evil.example.com"), "Certificate's OIDCIssuer does not match"),
    ],
)
def test_another_identity_is_refused(identity: Identity, why: str) -> None:
    assert why in reason(GOOD, policy(identity))


def test_another_sigstore_is_refused() -> None:
    assert "failed to build timestamp certificate chain" in reason(GOOD, policy(world=SigstoreWorld()))


def test_a_signature_made_after_the_certificates_time_is_refused() -> None:
    late = WORLD.bundle(DIGEST, ME.subject, at=SIGNED_AT + dt.timedelta(hours=1))
    assert "is not by me@example.com" in reason(late)


def test_a_bundle_for_another_image_is_refused() -> None:
    assert "not for this image" in reason(WORLD.bundle(Digest.of(b"other"), ME.subject))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda d: d["dsseEnvelope"]["signatures"][0].update(sig="AAAA"), id="another signature"),
        pytest.param(lambda d: d["verificationMaterial"].update(tlogEntries=[]), id="no log entry"),
        pytest.param(
            lambda d: d["verificationMaterial"]["tlogEntries"][0].pop("inclusionPromise"), id="no promise"
        ),
        pytest.param(
            lambda d: d["verificationMaterial"]["tlogEntries"][0]["inclusionProof"].update(rootHash="AAAA"),
            id="another proof",
        ),
        pytest.param(
            lambda d: d["verificationMaterial"]["tlogEntries"][0].update(integratedTime="1770000000"),
            id="another time",
        ),
        pytest.param(
            lambda d: d["verificationMaterial"]["certificate"].update(rawBytes="AAAA"), id="no certificate"
        ),
    ],
)
def test_whatever_is_altered_is_refused_with_a_reason(change: Callable[[dict[str, Any]], object]) -> None:
    assert "is not by me@example.com" in reason(altered(change))


def test_words_that_were_not_signed_are_refused() -> None:
    theirs = json.loads(WORLD.bundle(Digest.of(b"another"), ME.subject))["dsseEnvelope"]["payload"]
    bundle = altered(lambda document: document["dsseEnvelope"].update(payload=theirs))
    signatures = read_bundle(bundle, where="test")
    with pytest.raises(Unverified) as refused:
        policy().check(IMAGE, Digest.of(b"another"), signatures)
    assert "is not by me@example.com" in str(refused.value.detail)


class TestPolicy:
    """Identities beside keys in a policy file."""

    KEY = PrivateKey.generate("ed25519").public.to_pem().decode()
    TEXT = f"""
keys: {{team: {json.dumps(KEY)}}}
identities: {{ci: {{subject: me@example.com, issuer: "{ISSUER}"}}}}
trustedRoot: root.json
rules: [{{images: "hub.example.com/**", anyOf: [ci, team]}}]
"""

    def parse(self, text: str, root: bytes | None = None) -> Policy:
        return Policy.parse(text, lambda _: root or WORLD.trusted_root(), where="policy.yaml")

    def test_either_is_enough_where_any_is(self) -> None:
        assert judged(GOOD, self.parse(self.TEXT)) == {"ci"}

    def test_both_are_needed_where_all_are(self) -> None:
        with pytest.raises(Unverified, match=r"signatures of all of ci, team are needed, and ci has signed"):
            judged(GOOD, self.parse(self.TEXT.replace("anyOf", "allOf")))

    @pytest.mark.parametrize(
        ("old", "new", "complaint"),
        [
            ("[ci, team]", "[cd]", "names keys that are not in `keys` or `identities`: cd"),
            ("{ci:", "{team:", "team is a key and an identity"),
            ("subject: me@example.com, ", "", "Object missing required field `subject`"),
        ],
    )
    def test_a_mistake_is_named(self, old: str, new: str, complaint: str) -> None:
        with pytest.raises(UsageError, match=r"^policy.yaml: ") as refused:
            self.parse(self.TEXT.replace(old, new).replace("[ci, team]", "[team]"))
        assert complaint in str(refused.value)

    def test_what_is_no_trusted_root_is_named(self) -> None:
        with pytest.raises(UsageError, match=r"^policy.yaml: root.json is no trusted root: "):
            judged(GOOD, self.parse(self.TEXT, b"{}"))


def test_a_key_does_not_vouch_for_a_bundle_without_one() -> None:
    by_key = Policy.of_keys({"team": PrivateKey.generate("ed25519").public})
    assert "was made without a key, and no identity is known" in reason(GOOD, by_key)


def test_the_public_instances_root_comes_with_the_library() -> None:
    with pytest.raises(SignatureInvalid):
        Keyless().check(GOOD, b"", ME)


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sigstore.verify", None)
    with pytest.raises(PartMissing, match="need the library sigstore") as missing:
        Keyless(WORLD.trusted_root()).check(GOOD, b"", ME)
    assert missing.value.hint == "pip install 'weft[keyless]'"
