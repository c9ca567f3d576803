"""Sign manifests and judge signatures: keys, cosign's two layouts, and policies.

What is signed is a digest. ``simple_signature`` and ``bundle_signature`` make what cosign verifies,
``read_simple`` and ``read_bundle`` read what cosign made, and a ``Policy`` says which keys an image needs.
Where signatures are kept is the registry's business: this package sees bytes only.

May import: ``weft.image``, ``weft.oci``, ``weft.base``, ``weft.errors``.
"""

from weft.signing.bundle import BUNDLE_TYPE, bundle_image, bundle_signature, read_bundle
from weft.signing.errors import KeyInvalid, SignatureInvalid, Unverified
from weft.signing.keyless import Identity, Keyless
from weft.signing.keys import KINDS, PrivateKey, PublicKey
from weft.signing.policy import Policy, Rule
from weft.signing.signature import Judgement, Signature, judge
from weft.signing.simple import SIMPLE_TYPE, read_simple, signature_tag, simple_image, simple_signature

__all__ = [
    "BUNDLE_TYPE",
    "KINDS",
    "SIMPLE_TYPE",
    "Identity",
    "Judgement",
    "KeyInvalid",
    "Keyless",
    "Policy",
    "PrivateKey",
    "PublicKey",
    "Rule",
    "Signature",
    "SignatureInvalid",
    "Unverified",
    "bundle_image",
    "bundle_signature",
    "judge",
    "read_bundle",
    "read_simple",
    "signature_tag",
    "simple_image",
    "simple_signature",
]
