"""Regular expressions that Envoy would turn down are refused before it sees them."""

import pytest

from weft.mesh.intent.regex import why_not_re2


@pytest.mark.parametrize(
    "pattern",
    [
        "/v[0-9]+/.*",
        r"(?i)a|b",
        r"\p{Greek}+",
        r"(?P<name>x)",
        r"\Qa.b\E",
        r"[[:alpha:]]",
        r"a\\1",
        r"x\z",
        "",
    ],
)
def test_what_re2_takes_is_taken(pattern: str) -> None:
    assert why_not_re2(pattern) is None


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(?=a)", "RE2, which Envoy uses, has no '(?='"),
        ("(?<!a)b", "RE2, which Envoy uses, has no '(?<!'"),
        ("(?>a)", "RE2, which Envoy uses, has no '(?>'"),
        (r"(a)\1", r"RE2, which Envoy uses, has no '\\1'"),
        ("a++", "RE2, which Envoy uses, has no '++'"),
        ("[", "'[' is no regular expression: unterminated character set at position 0"),
        ("a{2,1}", "'a{2,1}' is no regular expression: min repeat greater than max repeat at position 2"),
        ("a" * 1001, "is longer than 1000 characters"),
    ],
)
def test_what_re2_does_not_take_is_refused(pattern: str, reason: str) -> None:
    assert why_not_re2(pattern) == reason
